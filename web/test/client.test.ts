import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ApiError, connect } from "../src/api/client";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server | undefined;

/** Starts a real server on a free port of this machine and tells its address. */
async function serve(handler: Handler): Promise<string> {
  const started = createServer(handler);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${String((started.address() as AddressInfo).port)}`;
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(body);
}

afterEach(() => {
  server?.close();
});

describe("connect", () => {
  it("sends the path, the query, and what proves that a change comes from the page", async () => {
    const seen: { url: string | undefined; csrf: unknown; background: unknown; language: unknown }[] = [];
    const baseUrl = await serve((request, response) => {
      const { "x-atoll-csrf": csrf, "x-atoll-background": background, "accept-language": language } = request.headers;
      seen.push({ url: request.url, csrf, background, language });
      answer(response, 200, '{"items":[],"cursor":null}');
    });
    let away = false;
    const atoll = connect({ baseUrl, csrf: () => "proof", language: () => "fr", background: () => away });

    await atoll.GET("/api/v1/deliveries", { params: { query: { limit: 5 } } });
    away = true;
    const { data } = await atoll.GET("/api/v1/deliveries");
    await atoll.DELETE("/api/v1/tokens/{id}", { params: { path: { id: "tok_1" } } });

    expect(seen).toEqual([
      { url: "/api/v1/deliveries?limit=5", csrf: undefined, background: undefined, language: "fr" },
      { url: "/api/v1/deliveries", csrf: undefined, background: "1", language: "fr" },
      { url: "/api/v1/tokens/tok_1", csrf: "proof", background: "1", language: "fr" },
    ]);
    expect(data).toEqual({ items: [], cursor: null });
  });

  it("rejects with the error as Atoll wrote it", async () => {
    const body = {
      code: "not_found",
      message: "There is no dataset named nowhere.",
      where: "dataset/nowhere",
      todo: "List the datasets you may see.",
      findings: [],
      request_id: "req_1",
    };
    const baseUrl = await serve((_, response) => {
      answer(response, 404, JSON.stringify(body));
    });
    const atoll = connect({ baseUrl, csrf: () => null, language: () => "en" });

    const failed = atoll.GET("/api/v1/datasets/{name}", { params: { path: { name: "nowhere" } } });

    const error = await failed.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 404,
      ...body,
    });
  });

  it("says so when the answer is not one of Atoll's", async () => {
    const baseUrl = await serve((_, response) => {
      response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
    });
    const atoll = connect({ baseUrl, csrf: () => null, language: () => "en" });

    await expect(atoll.GET("/api/v1/me")).rejects.toMatchObject({
      status: 502,
      code: "unreadable_answer",
      where: "/api/v1/me",
    });
  });
});
