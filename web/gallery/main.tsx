/** Every part with something in it, for the tests: the policy, axe, both languages and schemes. */
import "@fontsource/ibm-plex-sans/latin-400.css";
import "@mantine/core/styles.css";
import "@mantine/dates/styles.css";
import "@mantine/notifications/styles.css";
import "virtual:theme.css";
import "../src/app/base.css";

import { Button, MantineProvider, Stack } from "@mantine/core";
import { DateInput } from "@mantine/dates";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { createMemoryRouter, RouterProvider } from "react-router";
import { ApiError } from "../src/api/client";
import { complete } from "../src/api/listing";
import { startLanguage } from "../src/app/i18n";
import { queries } from "../src/app/queries";
import { theme, variables } from "../src/app/theme";
import { Chart } from "../src/parts/Chart";
import { Columns } from "../src/parts/Columns";
import { Confirm } from "../src/parts/Confirm";
import { DataTable } from "../src/parts/DataTable";
import { DiffView } from "../src/parts/DiffView";
import { Empty } from "../src/parts/Empty";
import { Bytes, Count, Duration, Money, When } from "../src/parts/Figures";
import { Graph } from "../src/parts/Graph";
import { JsonSchemaForm, type FormSchema, type FormValues } from "../src/parts/JsonSchemaForm";
import { OperationProgress } from "../src/parts/OperationProgress";
import { Page } from "../src/parts/Page";
import { Problem } from "../src/parts/Problem";
import { Section } from "../src/parts/Section";
import { SqlEditor } from "../src/parts/SqlEditor";
import { StateBadge } from "../src/parts/StateBadge";
import { toast } from "../src/parts/toast";
import { VirtualGrid } from "../src/parts/VirtualGrid";

const AT = "2026-01-05T08:30:00Z";
const MANY = 1_000_000;
const ROWS = Array.from({ length: 30 }, (_, index) => ({ id: String(index), name: `row ${index}`, size: index * 1_000_003 }));
const LISTING = complete(ROWS, { isPending: false, error: null, refetch: () => undefined });
const NONE = complete<(typeof ROWS)[number]>([], { isPending: false, error: null, refetch: () => undefined });
const REFUSED = new ApiError(422, { code: "invalid_input", message: "That does not hold.", where: "field", todo: "Mend it.", findings: ["a: too long"], request_id: "req_1" });
const SCHEMA: FormSchema = {
  required: ["name"],
  properties: {
    name: { type: "string", title: "Name", description: "What it is called", maxLength: 40 },
    many: { type: "integer", title: "How many", minimum: 1, maximum: 9, default: 3 },
    kind: { title: "Kind", enum: ["one", "two"] },
    on: { type: "boolean", title: "On" },
    tags: { type: "array", title: "Tags", items: { type: "string" } },
  },
};
const POINTS = ["a", "b", "c"].map((day, index) => ({ day, cost: index * 2 + 1, other: 4 - index }));
const SERIES = [
  { key: "cost", label: "Cost" },
  { key: "other", label: "Other" },
];
const NODES = [
  { id: "s", kind: "source", label: "Source", detail: "files" },
  { id: "t", kind: "table", label: "trial.visits" },
  { id: "q", kind: "query", label: "Query" },
];
const EDGES = [
  { from: "s", to: "t" },
  { from: "t", to: "q" },
];
const STEP = { done: false, output: {}, progress: 0.5 };
const OPERATION = {
  id: "op_1", story: "admit_delivery", subject: "delivery/1", state: "running", progress: 0.5, asked_by: "ada",
  created_at: AT, deadline: AT, attempt: 1, max_attempts: 3, retry_at: null, failure: null, finished_at: null,
  cancel_requested: false, steps: [{ ...STEP, name: "verify", done: true }, { ...STEP, name: "read" }, { ...STEP, name: "commit" }],
} as const;

function Gallery() {
  const [values, setValues] = useState<FormValues>({ many: 3 });
  const [asked, setAsked] = useState(false);
  const [sql, setSql] = useState("SELECT 1");
  const [chosen, setChosen] = useState("");
  return (
    <main>
      <Page title="Parts" about="Each of them" actions={<Button onClick={() => { toast("done"); }}>Tell</Button>}>
        <Columns>
          <Section title="States and figures">
            <Stack>
              <StateBadge state="running" reason="kept alive because a kernel runs" /> <StateBadge state="failed" /> <StateBadge state="waiting" />
              <StateBadge state="hibernated" /> <StateBadge state="provisioning" /> <StateBadge state="never heard of" />
              <p><Money amount="1234.5" /> <Bytes bytes={12_345_678} /> <Count value={MANY} /> <Duration seconds={3725} /> <When at={AT} /> <When at={AT} absolute /></p>
              <DateInput label="Until" />
            </Stack>
          </Section>
          <Section title="Problem and empty"><Problem error={REFUSED} onRetry={() => undefined} /><Empty title="Nothing">It comes.</Empty></Section>
          <Section title="Form"><JsonSchemaForm schema={SCHEMA} values={values} onChange={setValues} /></Section>
          <Section title="Operation"><OperationProgress operation={{ ...OPERATION, steps: [...OPERATION.steps] }} /></Section>
        </Columns>
        <Section title="Table">
          <DataTable title="Some rows" listing={LISTING} rowKey={({ id }) => id} empty={null} columns={[
            { key: "name", title: "Name", value: ({ name }) => name, cell: ({ name }) => name },
            { key: "size", title: "Size", figure: true, value: ({ size }) => size, cell: ({ size }) => <Bytes bytes={size} /> },
          ]} />
          <DataTable title="No rows" listing={NONE} rowKey={({ id }) => id} empty={<Empty title="No row" />} columns={[]} />
        </Section>
        <Chart kind="line" title="A line" points={POINTS} x={{ key: "day", label: "Day" }} series={SERIES} />
        <Chart kind="bar" title="Bars" points={POINTS} x={{ key: "day", label: "Day" }} series={SERIES} stacked />
        <Chart kind="area" title="An area" points={POINTS} x={{ key: "day", label: "Day" }} series={SERIES} />
        <Graph title="A graph" nodes={NODES} edges={EDGES} onChoose={({ id }) => { setChosen(id); }} />
        <p data-testid="chosen">{chosen}</p>
        <SqlEditor label="Statement" value={sql} onChange={setSql} onRun={() => { setChosen("run"); }} tables={{ "trial.visits": ["visit", "weight"] }} />
        <p data-testid="sql">{sql}</p>
        <SqlEditor label="Contract" language="yaml" readOnly value={"dataset: trial\ntitle: x"} />
        <DiffView title="What changed" diff={"@@ -1 +1 @@\n-a: 1\n+a: 2\n b: 3"} />
        <VirtualGrid label="A million rows" total={MANY} columns={[{ key: "n", title: "n", figure: true }, { key: "t", title: "t" }]} rowAt={(index) => [index, `text ${index}`]} />
        <Button onClick={() => { setAsked(true); }}>Ask</Button>
        <Confirm opened={asked} onClose={() => { setAsked(false); }} title="Terminate lab?" label="Terminate" typed="lab" onConfirm={() => { setAsked(false); }}>It goes with its home.</Confirm>
      </Page>
    </main>
  );
}

const router = createMemoryRouter([{ path: "/", Component: Gallery }]);
const root = document.getElementById("root");
if (root === null) throw new Error("no #root");
await startLanguage();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
        <Notifications />
        <RouterProvider router={router} />
      </MantineProvider>
    </QueryClientProvider>
  </StrictMode>,
);
