/** The buttons above the screen, and what they do to it. */
import type RFB from "@novnc/novnc";
import type { Facts } from "./main";
import { words, type Word } from "./words";

const QUALITIES = [9, 6, 2] as const;
/** X11's keysyms of what a touch keyboard tells otherwise than as text. */
const BACKSPACE = 0xff08, RETURN = 0xff0d;

export interface Tools {
  attach: (rfb: RFB, facts: Facts) => void;
  detach: () => void;
}

export function toolbar(): Tools {
  let rfb: RFB | null = null;
  const place = document.getElementById("tools");
  if (place === null) throw new Error("no toolbar");
  place.setAttribute("aria-label", words("tools"));

  const button = (key: Word, act: () => void): HTMLButtonElement => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words(key);
    made.addEventListener("click", act);
    place.append(made);
    return made;
  };

  const fit = button("fit", () => { fits(fit.getAttribute("aria-pressed") !== "true"); });
  fit.title = words("fitHelp");
  const fits = (on: boolean) => {
    fit.setAttribute("aria-pressed", String(on));
    if (rfb !== null) rfb.resizeSession = on;
  };
  fits(true);

  const quality = select(place);
  quality.addEventListener("change", () => { if (rfb !== null) rfb.qualityLevel = Number(quality.value); });

  const paste = pasting((text) => rfb?.clipboardPasteFrom(text), () => rfb?.focus());
  const pasteIn = button("paste", paste);
  const keyboard = button("keyboard", typing(() => rfb));
  keyboard.hidden = !matchMedia("(pointer: coarse)").matches;
  button("fullScreen", () => {
    void (document.fullscreenElement === null ? document.documentElement.requestFullscreen() : document.exitFullscreen());
    rfb?.focus();
  });
  button("leave", () => {
    void fetch(".atoll/leave", { method: "POST" }).finally(() => { window.close(); location.reload(); });
  });

  return {
    attach: (to, facts) => {
      rfb = to;
      rfb.scaleViewport = true;
      rfb.resizeSession = facts.control && fit.getAttribute("aria-pressed") === "true";
      rfb.qualityLevel = Number(quality.value);
      fit.hidden = !facts.control;
      pasteIn.hidden = !(facts.paste && facts.control);
    },
    detach: () => { rfb = null; },
  };
}

function select(place: HTMLElement): HTMLSelectElement {
  const label = document.createElement("label");
  label.append(words("quality"));
  const made = document.createElement("select");
  for (const level of QUALITIES) {
    const option = document.createElement("option");
    option.value = String(level);
    option.textContent = words(`quality${level}`);
    made.append(option);
  }
  made.value = "6";
  label.append(made);
  place.append(label);
  return made;
}

/** The dialog for text that goes in; it is not kept. */
function pasting(send: (text: string) => void, done: () => void): () => void {
  const dialog = document.getElementById("paste") as HTMLDialogElement;
  const text = document.getElementById("paste-text") as HTMLTextAreaElement;
  const say = (id: string, key: Word) => {
    const one = document.getElementById(id);
    if (one !== null) one.textContent = words(key);
  };
  say("paste-title", "paste");
  say("paste-help", "pasteHelp");
  say("paste-no", "pasteNo");
  say("paste-yes", "pasteYes");
  text.setAttribute("aria-label", words("pasteText"));
  dialog.addEventListener("close", () => {
    if (dialog.returnValue === "yes" && text.value !== "") send(text.value);
    text.value = "";
    done();
  });
  return () => { dialog.returnValue = ""; dialog.showModal(); text.focus(); };
}

/** Brings up the keyboard of a touch screen, and sends what is typed on it. */
function typing(to: () => RFB | null): () => void {
  const field = document.getElementById("typed") as HTMLTextAreaElement;
  field.setAttribute("aria-label", words("keyboard"));
  field.addEventListener("beforeinput", (event) => {
    const rfb = to();
    if (rfb === null) return;
    if (event.inputType === "deleteContentBackward") rfb.sendKey(BACKSPACE, null);
    else if (event.inputType === "insertLineBreak") rfb.sendKey(RETURN, null);
    else for (const letter of event.data ?? "") rfb.sendKey(keysym(letter), null);
    event.preventDefault();
  });
  return () => { field.focus(); };
}

/** X11's keysym of a letter: Latin-1 as it is, all else by Unicode (X protocol, appendix A). */
export function keysym(letter: string): number {
  const point = letter.codePointAt(0) ?? 0;
  return (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff) ? point : 0x01000000 + point;
}
