import { TextInput } from "@mantine/core";
import { useState } from "react";

/** A filter of which the server needs the whole name: told on Enter, and when one leaves it. */
export function FilterText({ label, value, onChange }: { label: string; value: string; onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  const tell = () => {
    if (text.trim() !== value) onChange(text.trim());
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        tell();
      }}
    >
      <TextInput aria-label={label} placeholder={label} value={text} onBlur={tell} onChange={(event) => { setText(event.currentTarget.value); }} />
    </form>
  );
}
