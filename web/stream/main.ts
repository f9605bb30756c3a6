/** The screen of a machine. What passes is decided by the platform's proxy; this page only shows what is so. */
import RFB from "@novnc/novnc";
import { toolbar } from "./toolbar";
import { language, words } from "./words";

/** What the proxy says of this visit, at `facts`. */
export interface Facts {
  title: string;
  login: string;
  control: boolean;
  paste: boolean;
  recorded: boolean;
  owner: string;
}

const HARDEST_WAIT_SECONDS = 15;
function found(id: string): HTMLElement {
  const one = document.getElementById(id);
  if (one === null) throw new Error(id);
  return one;
}
const tell = (text: string) => { found("state").textContent = text; };

const tools = toolbar();
let wait = 1;

async function facts(): Promise<Facts | "out" | "asleep"> {
  try {
    const answer = await fetch("facts", { headers: { Accept: "application/json" }, cache: "no-store" });
    if (answer.ok) return (await answer.json()) as Facts;
    return [401, 403, 404].includes(answer.status) ? "out" : "asleep";
  } catch {
    return "asleep";
  }
}

function later(why: "again" | "asleep"): void {
  tell(words(why, { seconds: String(wait) }));
  setTimeout(() => void connect(), wait * 1000);
  wait = Math.min(wait * 2, HARDEST_WAIT_SECONDS);
}

async function connect(): Promise<void> {
  tell(words("connecting"));
  const known = await facts();
  if (known === "out") { tell(words("out")); return; }
  if (known === "asleep") { later("asleep"); return; }
  document.title = known.title;
  found("title").textContent = known.title;
  found("recorded").hidden = !known.recorded;
  found("recorded").textContent = words("recorded");
  const address = new URL("screen", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const rfb = new RFB(found("screen"), address.href, { shared: true, wsProtocols: ["binary"] });
  rfb.background = "#101418";
  rfb.viewOnly = !known.control;
  rfb.showDotCursor = true;
  tools.attach(rfb, known);
  rfb.addEventListener("connect", () => {
    wait = 1;
    tell(known.control ? words("connected") : words("watching", { owner: known.owner }));
    document.body.dataset.screen = "connected";
    rfb.focus();
  });
  rfb.addEventListener("disconnect", () => {
    delete document.body.dataset.screen;
    tools.detach();
    later("again");
  });
}

document.documentElement.lang = language;
void connect();
