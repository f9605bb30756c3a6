/**
 * A form made from a JSON Schema, as products declare their parameters: an object of strings, numbers, booleans,
 * enums and lists of strings. The API checks what is sent; what it finds is shown by `Problem`.
 */
import { Checkbox, NumberInput, Select, Stack, TagsInput, Text, TextInput, Textarea } from "@mantine/core";
import { useTranslation } from "react-i18next";

export interface FieldSchema {
  type?: string;
  title?: string;
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  items?: FieldSchema;
}

export interface FormSchema {
  properties?: Record<string, FieldSchema>;
  required?: readonly string[];
}

export type FormValues = Record<string, unknown>;

/** What a form begins with. */
export function defaultsOf(schema: FormSchema): FormValues {
  return Object.fromEntries(
    Object.entries(schema.properties ?? {}).flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]])),
  );
}

interface Props {
  schema: FormSchema;
  values: FormValues;
  onChange: (values: FormValues) => void;
}

export function JsonSchemaForm({ schema, values, onChange }: Props) {
  const { t } = useTranslation("parts");
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) {
    return (
      <Text c="dimmed" size="sm">
        {t("form.nothing")}
      </Text>
    );
  }
  return (
    <Stack gap="sm">
      {fields.map(([name, field]) => (
        <Field
          key={name}
          name={name}
          field={field}
          required={schema.required?.includes(name) ?? false}
          value={values[name]}
          onChange={(value) => {
            const { [name]: _, ...others } = values;
            onChange(value === undefined ? others : { ...others, [name]: value });
          }}
        />
      ))}
    </Stack>
  );
}

function isPlain(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

interface FieldProps {
  name: string;
  field: FieldSchema;
  required: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
}

function Field({ name, field, required, value, onChange }: FieldProps) {
  const common = { label: field.title ?? name.replaceAll("_", " "), description: field.description, required };
  if (field.enum !== undefined) {
    return (
      <Select
        {...common}
        data={field.enum.map(String)}
        value={isPlain(value) ? String(value) : null}
        clearable={!required}
        onChange={(chosen) => {
          onChange(field.enum?.find((one) => String(one) === chosen));
        }}
      />
    );
  }
  switch (field.type) {
    case "boolean":
      return (
        <Checkbox
          label={common.label}
          description={common.description}
          checked={value === true}
          onChange={(event) => {
            onChange(event.currentTarget.checked);
          }}
        />
      );
    case "integer":
    case "number":
      return (
        <NumberInput
          {...common}
          value={typeof value === "number" ? value : ""}
          allowDecimal={field.type === "number"}
          {...(field.minimum === undefined ? {} : { min: field.minimum })}
          {...(field.maximum === undefined ? {} : { max: field.maximum })}
          onChange={(typed) => {
            onChange(typeof typed === "number" ? typed : undefined);
          }}
        />
      );
    case "array":
      return <TagsInput {...common} value={Array.isArray(value) ? value.map(String) : []} onChange={onChange} />;
    default:
      return <TextField {...{ name, field, required, value, onChange }} />;
  }
}

const LONG_TEXT = 200;

function TextField({ name, field, required, value, onChange }: FieldProps) {
  const Input = (field.maxLength ?? 0) > LONG_TEXT ? Textarea : TextInput;
  return (
    <Input
      label={field.title ?? name.replaceAll("_", " ")}
      description={field.description}
      required={required}
      value={typeof value === "string" ? value : ""}
      {...(field.maxLength === undefined ? {} : { maxLength: field.maxLength })}
      {...(field.pattern === undefined ? {} : { pattern: field.pattern })}
      onChange={(event) => {
        onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value);
      }}
    />
  );
}
