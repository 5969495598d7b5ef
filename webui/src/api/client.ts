// One call to the box's API, typed by openapi.yaml: path, parameters, body and answer belong together.
import type { paths } from './openapi';
import { ApiError, no_answer, problem_of } from './problem';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Operation<P extends keyof paths, M extends Method> = paths[P][M];
type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type BodyOf<O> = O extends { requestBody: infer Request } ? Json<Request> : never;
type AnswerOf<O> = O extends { responses: infer R }
  ? R extends { 200: infer Ok }
    ? Json<Ok>
    : R extends { 201: infer Created }
      ? Json<Created>
      : void
  : never;

export type PathWith<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

// A box without power answers nothing, and a browser waits for minutes.
const kAnswerMs = 20_000;
const kUploadMs = 120_000;

interface Options<O> {
  id?: number;
  body?: BodyOf<O>;
  text?: string; // a body that is not JSON: a playlist
  fetch?: typeof fetch;
}

// Called when the box says that the session is over, from whichever call found out.
let on_signed_out = () => {};
export function when_signed_out(then: () => void): void {
  on_signed_out = then;
}

export async function call<M extends Method, P extends PathWith<M>>(
  method: M,
  path: P,
  options: Options<Operation<P, M>> = {},
): Promise<AnswerOf<Operation<P, M>>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'get') headers['X-Hearthcast'] = '1';
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.text !== undefined) headers['Content-Type'] = 'text/plain; charset=utf-8';
  const url = '/api/v1' + (path as string).replace('{id}', String(options.id ?? ''));
  let answer: Response;
  try {
    answer = await (options.fetch ?? fetch)(url, {
      method: method.toUpperCase(),
      headers,
      body: options.body !== undefined ? JSON.stringify(options.body) : options.text,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(options.text !== undefined ? kUploadMs : kAnswerMs),
    });
  } catch {
    throw no_answer();
  }
  if (answer.status === 204) return undefined as AnswerOf<Operation<P, M>>;
  let body: unknown;
  try {
    body = await answer.json();
  } catch {
    throw problem_of(answer.status, undefined);
  }
  if (answer.ok) return body as AnswerOf<Operation<P, M>>;
  const problem: ApiError = problem_of(answer.status, body);
  if (problem.code === 'not_signed_in') on_signed_out();
  throw problem;
}
