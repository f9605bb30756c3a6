/**
 * The one way from TypeScript to Atoll's API. Paths, parameters and answers are typed by
 * `schema.d.ts`, which is generated from the openapi.json at the root of the repository.
 */
import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

/** What the API answers whenever it does not do what was asked. */
export type ErrorBody = components["schemas"]["ErrorAnswer"];

export interface Connection {
  /** Where the platform answers, without `/api/v1`; empty for where the page came from. */
  baseUrl: string;
  /** Asked before each request that changes something; null when nobody is signed in. */
  csrf: () => string | null;
  /** The language that answers are read in. */
  language: () => string;
  /** Whether what is asked is asked by the page itself; such requests keep no session alive. */
  background?: () => boolean;
}

/** An answer that says no, as an exception: what happened, where, and what to do next. */
export class ApiError extends Error implements ErrorBody {
  override readonly name = "ApiError";
  readonly code: string;
  readonly where: string;
  readonly todo: string;
  readonly findings: string[];
  readonly request_id: string;

  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    body: ErrorBody,
  ) {
    super(body.message);
    this.code = body.code;
    // A proxy in between may leave out what is empty.
    const told: Partial<ErrorBody> = body;
    this.where = told.where ?? "";
    this.todo = told.todo ?? "";
    this.findings = told.findings ?? [];
    this.request_id = told.request_id ?? "";
  }
}

/** Whether a parsed body is an error as Atoll writes it (a proxy in between may write others). */
export function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === "object" && body !== null && "code" in body && "message" in body;
}

/** The refusal in an answer. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  if (isErrorBody(body)) return new ApiError(response.status, body);
  return new ApiError(response.status, {
    code: "unreadable_answer",
    message: "",
    where: new URL(response.url).pathname,
    todo: "",
    findings: [],
    request_id: response.headers.get("x-request-id") ?? "",
  });
}

/** Headers that a request needs beside its cookie. For what `connect` cannot do: uploads with progress, downloads. */
export function ownHeaders(method: string, { csrf, language, background }: Connection): Record<string, string> {
  const headers: Record<string, string> = { "Accept-Language": language() };
  const secret = csrf();
  if (!["GET", "HEAD"].includes(method) && secret !== null) headers["X-Atoll-Csrf"] = secret;
  if (background?.() === true) headers["X-Atoll-Background"] = "1";
  return headers;
}

/** Every call sends the session, and rejects with `ApiError` unless the answer is a success. */
export function connect(connection: Connection): Client<paths> {
  const client = createClient<paths>({ baseUrl: connection.baseUrl, credentials: "include" });
  const rules: Middleware = {
    onRequest({ request }) {
      for (const [name, value] of Object.entries(ownHeaders(request.method, connection))) {
        request.headers.set(name, value);
      }
      return request;
    },
    async onResponse({ response }) {
      if (!response.ok) throw await errorOf(response);
      return response;
    },
    onError({ error }) {
      if (error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError")) return undefined;
      return new ApiError(0, { code: "no_answer", message: "", where: "", todo: "", findings: [], request_id: "" });
    },
  };
  client.use(rules);
  return client;
}
