/**
 * The one way from TypeScript to Atoll's API. Paths, parameters and answers are typed by
 * `schema.d.ts`, which is generated from the openapi.json at the root of the repository.
 */
import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

/** What the API answers whenever it does not do what was asked. */
export type ErrorBody = components["schemas"]["ErrorAnswer"];

export interface Connection {
  /** Where the platform answers, without `/api/v1`: `http://127.0.0.1:8470`. */
  baseUrl: string;
  /** Asked before each request, so that a new sign-in needs no new client; null sends none. */
  token: () => string | null;
}

/** An answer that says no, as an exception: what happened, where, and what to do next. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** HTTP status. */
    readonly status: number,
    readonly body: ErrorBody,
  ) {
    super([body.message, body.where && `(${body.where})`, body.todo].filter(Boolean).join(" "));
  }
}

/** Whether a parsed body is an error as Atoll writes it (a proxy in between may write others). */
export function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === "object" && body !== null && "code" in body && "message" in body;
}

async function errorOf(response: Response): Promise<ApiError> {
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
    message: `The server answered ${String(response.status)} without saying why.`,
    where: new URL(response.url).pathname,
    todo: "Check that the address is that of Atoll.",
    findings: [],
    request_id: response.headers.get("x-request-id") ?? "",
  });
}

/** Every call sends the token, and rejects with `ApiError` unless the answer is a success. */
export function connect({ baseUrl, token }: Connection): Client<paths> {
  const client = createClient<paths>({ baseUrl });
  const bearer: Middleware = {
    onRequest({ request }) {
      const secret = token();
      if (secret !== null) request.headers.set("Authorization", `Bearer ${secret}`);
      return request;
    },
    async onResponse({ response }) {
      if (!response.ok) throw await errorOf(response);
      return response;
    },
  };
  client.use(bearer);
  return client;
}
