/** Every route of the application. A page is a file of its own, loaded when one goes there. */
import { createBrowserRouter, type RouteObject } from "react-router";
import { RequireSession } from "./app/session";
import { PageError } from "./app/shell/PageError";
import { Shell } from "./app/shell/Shell";
import { Waiting } from "./app/shell/Waiting";

/** Pages below the shell. A page exports `Component`; `path` is told again in `app/shell/nav.ts` when it has a place there. */
const PAGES: RouteObject[] = [
  { index: true, lazy: () => import("./pages/home/HomePage") },
  { path: "account", lazy: () => import("./pages/account/AccountPage") },
  { path: "administration", lazy: () => import("./pages/administration/AdministrationPage") },
  { path: "administration/:section", lazy: () => import("./pages/administration/AdministrationPage") },
  { path: "administration/people/:id", lazy: () => import("./pages/administration/PersonPage") },
  { path: "airlock", lazy: () => import("./pages/airlock/AirlockPage") },
  { path: "airlock/new", lazy: () => import("./pages/airlock/NewRequestPage") },
  { path: "airlock/:id", lazy: () => import("./pages/airlock/RequestPage") },
  { path: "audit", lazy: () => import("./pages/audit/AuditPage") },
  { path: "contracts", lazy: () => import("./pages/contracts/ContractsPage") },
  { path: "contracts/new", lazy: () => import("./pages/contracts/NewContractPage") },
  { path: "contracts/proposals/:id", lazy: () => import("./pages/contracts/ProposalPage") },
  { path: "contracts/:dataset", lazy: () => import("./pages/contracts/ContractPage") },
  { path: "costs", lazy: () => import("./pages/costs/CostsPage") },
  { path: "deliveries", lazy: () => import("./pages/deliveries/DeliveriesPage") },
  { path: "deliveries/:id", lazy: () => import("./pages/deliveries/DeliveryPage") },
  { path: "flows", lazy: () => import("./pages/flows/FlowsPage") },
  { path: "machines", lazy: () => import("./pages/machines/MachinesPage") },
  { path: "machines/new", lazy: () => import("./pages/machines/NewMachinePage") },
  { path: "machines/:id", lazy: () => import("./pages/machines/MachinePage") },
  { path: "projects", lazy: () => import("./pages/projects/ProjectsPage") },
  { path: "projects/:name", lazy: () => import("./pages/projects/ProjectPage") },
  { path: "data", lazy: () => import("./pages/data/DataPage") },
  { path: "data/:name", lazy: () => import("./pages/data/DatasetPage") },
  { path: "sql", lazy: () => import("./pages/sql/SqlPage") },
  // Pages to come stand here, in alphabetical order.
];

export const ROUTES: RouteObject[] = [
  { path: "/sign-in", lazy: () => import("./pages/sign-in/SignInPage"), ErrorBoundary: PageError, HydrateFallback: Waiting },
  {
    Component: RequireSession,
    ErrorBoundary: PageError,
    HydrateFallback: Waiting,
    children: [
      {
        path: "/",
        Component: Shell,
        children: [
          {
            ErrorBoundary: PageError,
            children: [...PAGES, { path: "*", lazy: () => import("./app/shell/NotFoundPage") }],
          },
        ],
      },
    ],
  },
];

export const router = createBrowserRouter(ROUTES);
