// Who this browser is to the box: nobody yet, at first start, signed out or signed in.
import { call, when_signed_out } from '../api/client';
import { as_api_error, type ApiError } from '../api/problem';
import { box } from './box.svelte';

class Account {
  state = $state<'asking' | 'unreachable' | 'setup' | 'signed_out' | 'signed_in'>('asking');
  box_name = $state('');
  error = $state.raw<ApiError | undefined>();

  constructor() {
    when_signed_out(() => this.#signed_out());
  }

  async ask(): Promise<void> {
    try {
      const [status, session] = await Promise.all([call('get', '/status'), call('get', '/session')]);
      this.box_name = status.name;
      if (status.setup_needed) this.state = 'setup';
      else if (session.signed_in) this.#signed_in();
      else this.state = 'signed_out';
    } catch (thrown) {
      this.error = as_api_error(thrown);
      this.state = 'unreachable';
    }
  }

  async set_up(setup_code: string, password: string): Promise<void> {
    await call('post', '/setup', { body: { setup_code, password } });
    this.#signed_in();
  }

  async sign_in(password: string): Promise<void> {
    await call('post', '/session', { body: { password } });
    this.#signed_in();
  }

  async sign_out(): Promise<void> {
    await call('delete', '/session');
    this.#signed_out();
  }

  #signed_in(): void {
    this.state = 'signed_in';
    box.start();
  }

  #signed_out(): void {
    if (this.state !== 'signed_in') return;
    box.stop();
    this.state = 'signed_out';
  }
}

export const account = new Account();
