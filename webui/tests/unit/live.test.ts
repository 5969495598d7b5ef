import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { box } from '../../src/live/box.svelte';

// An EventSource whose network is the test's.
class Source {
  static made: Source[] = [];
  closed = false;
  onopen = () => {};
  onerror = () => {};
  #listeners = new Map<string, (event: { data: string }) => void>();
  constructor() {
    Source.made.push(this);
  }
  addEventListener(type: string, listener: (event: { data: string }) => void): void {
    this.#listeners.set(type, listener);
  }
  close(): void {
    this.closed = true;
  }
  say(type: string, data: unknown): void {
    this.#listeners.get(type)?.({ data: JSON.stringify(data) });
  }
}
const last = (): Source => Source.made.at(-1)!;
const answer = (status: number, body: unknown) =>
  vi.fn(async () => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } }));

beforeEach(() => {
  Source.made = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  vi.stubGlobal('EventSource', Source);
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener: () => {}, removeEventListener: () => {} });
  vi.stubGlobal('fetch', answer(200, { devices: [] }));
  box.start();
});
afterEach(() => {
  box.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('the live connection', () => {
  it('stays while the box says that it is alive, and is lost when it falls silent', async () => {
    last().onopen();
    for (let quarter = 0; quarter < 8; ++quarter) {
      await vi.advanceTimersByTimeAsync(15_000);
      last().say('alive', {});
    }
    expect(box.connection).toBe('open');
    expect(Source.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(42_000);
    expect(box.connection).toBe('lost');
    expect(Source.made[0]!.closed).toBe(true);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(Source.made).toHaveLength(2); // and tries again
    last().onopen();
    expect(box.connection).toBe('open');
  });

  it('is lost when it cannot be made, though the box answers', async () => {
    last().onerror();
    await vi.advanceTimersByTimeAsync(10);
    expect(box.connection).toBe('lost');
  });

  it('asks for the channels again when that failed', async () => {
    last().onopen();
    vi.stubGlobal('fetch', answer(500, { code: 'internal', title: 'It failed.' }));
    last().say('channels', { revision: 1, live: [] });
    await vi.advanceTimersByTimeAsync(100);
    expect(box.channels_error?.title).toBe('It failed.');
    vi.stubGlobal('fetch', answer(200, { revision: 1, channels: [] }));
    await vi.advanceTimersByTimeAsync(6_000);
    expect(box.channels_error).toBeUndefined();
    expect(box.snapshot.channels).toEqual([]);
  });
});
