// The page's one connection to the box's events, and what came of it. One EventSource per visible tab: a hidden tab
// gives its connection back, since a browser has six per box.
import { call } from '../api/client';
import { as_api_error, type ApiError } from '../api/problem';
import { channels_are_stale, empty_snapshot, kEventTypes, on_channels, on_event, type Snapshot } from './snapshot';

const kSilenceMs = 40_000; // the box says `alive` every 15 s; a dead network closes nothing

class Box {
  snapshot = $state.raw<Snapshot>(empty_snapshot());
  connection = $state<'connecting' | 'open' | 'lost'>('connecting');
  channels_error = $state.raw<ApiError | undefined>();
  now = $state(performance.now()); // moves once a second while a tab is visible

  #source: EventSource | undefined;
  #clock: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #heard_at = 0;
  #loading = false;
  #running = false;

  start(): void {
    if (this.#running) return;
    this.#running = true;
    document.addEventListener('visibilitychange', this.#on_visibility);
    this.#on_visibility();
  }

  stop(): void {
    this.#running = false;
    document.removeEventListener('visibilitychange', this.#on_visibility);
    this.#disconnect();
    this.snapshot = empty_snapshot();
    this.connection = 'connecting';
  }

  #on_visibility = (): void => {
    if (document.visibilityState === 'hidden') this.#disconnect();
    else this.#connect();
  };

  #connect(): void {
    if (!this.#running || this.#source) return;
    clearTimeout(this.#retry);
    this.#heard_at = performance.now();
    this.#clock ??= setInterval(() => this.#on_second(), 1000);
    const source = new EventSource('/api/v1/events');
    this.#source = source;
    source.onopen = () => this.#on_open();
    source.onerror = () => void this.#on_error();
    source.addEventListener('alive', () => (this.#heard_at = performance.now()));
    for (const type of kEventTypes) {
      source.addEventListener(type, (event) => {
        this.#heard_at = performance.now();
        this.snapshot = on_event(this.snapshot, type, JSON.parse((event as MessageEvent<string>).data), performance.now());
        this.now = performance.now();
        if (type === 'channels') void this.load_channels();
      });
    }
  }

  #disconnect(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#again);
    clearInterval(this.#clock);
    this.#clock = undefined;
    this.#source?.close();
    this.#source = undefined;
  }

  #on_open(): void {
    this.#heard_at = performance.now();
    this.connection = 'open';
  }

  #on_second(): void {
    this.now = performance.now();
    if (this.#source && this.now - this.#heard_at > kSilenceMs) void this.#on_error();
  }

  // The browser does not say why: ask, so that an ended session leads to the sign-in page and all else is tried again.
  async #on_error(): Promise<void> {
    this.#source?.close();
    this.#source = undefined;
    this.connection = 'lost';
    try {
      await call('get', '/devices'); // tells when_signed_out
    } catch (thrown) {
      if (as_api_error(thrown).code === 'not_signed_in') return;
    }
    if (this.#running && document.visibilityState !== 'hidden') this.#retry = setTimeout(() => this.#connect(), 2000);
  }

  async load_channels(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    try {
      while (this.#running && channels_are_stale(this.snapshot)) {
        const { revision, channels } = await call('get', '/channels');
        this.snapshot = on_channels(this.snapshot, revision, channels);
        this.channels_error = undefined;
        if (revision < this.snapshot.wanted_revision) break; // the next event asks again
      }
    } catch (thrown) {
      this.channels_error = as_api_error(thrown);
      this.#again = setTimeout(() => void this.load_channels(), 5000);
    } finally {
      this.#loading = false;
    }
  }
}

export const box = new Box();
