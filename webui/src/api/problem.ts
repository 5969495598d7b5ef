// Errors as the page shows them: what happened, and what to do next. Never a status number alone.
import type { Problem } from './types';

export type ProblemCode = Problem['code'] | 'no_answer' | 'unexpected_answer';

export class ApiError extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly title: string,
    readonly detail: string,
    readonly field?: string,
  ) {
    super(title);
  }
}

export function no_answer(): ApiError {
  return new ApiError(
    'no_answer',
    'The box does not answer.',
    'Check that it is switched on and that you are in its network, then try again.',
  );
}

function unexpected(status: number): ApiError {
  return new ApiError(
    'unexpected_answer',
    `The answer (${status}) did not come from the box as expected.`,
    'Reload the page. If that does not help, something between you and the box answers in its place.',
  );
}

// A problem document, or whatever else came instead of one.
export function problem_of(status: number, body: unknown): ApiError {
  if (typeof body !== 'object' || body === null) return unexpected(status);
  const problem = body as Partial<Problem>;
  if (typeof problem.code !== 'string' || typeof problem.title !== 'string') return unexpected(status);
  const detail = problem.detail ?? next_step(problem.code, problem.retry_after_s);
  return new ApiError(problem.code, problem.title, detail, problem.field);
}

// The box says what to do next; this is for when it does not.
function next_step(code: Problem['code'], retry_after_s?: number): string {
  switch (code) {
    case 'too_many_attempts':
    case 'too_many_windows':
      return retry_after_s ? `Wait ${Math.ceil(retry_after_s / 60)} min, then try again.` : 'Wait a while, then try again.';
    case 'not_signed_in':
      return 'Sign in again.';
    case 'not_found':
      return 'It may have been removed meanwhile. Reload the page.';
    case 'storage_full':
      return 'Free some space on the box, then try again. Nothing was changed.';
    default:
      return '';
  }
}

// What was thrown, as an ApiError: our own as it is, all else (a bug) in words too.
export function as_api_error(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError('unexpected_answer', 'The page made a mistake.', `Reload it. (${text})`);
}
