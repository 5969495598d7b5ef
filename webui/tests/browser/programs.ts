// The real programs, each with its own folder below the machine's temporary one and its own ports on loopback.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const kRoot = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const kBin = process.env.HEARTHCAST_BIN ?? join(kRoot, 'build/bin');
const run = promisify(execFile);

// Asks again until something comes; the limit is only for when it never does.
export async function until<T>(ask: () => Promise<T | undefined | false>, what: string, seconds = 60): Promise<T> {
  const end = performance.now() + seconds * 1000;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((then) => setTimeout(then, 200));
  }
  throw new Error(`${what}: not within ${seconds} s${last ? ` (${String(last)})` : ''}`);
}

// Below the ports that a system gives to outgoing connections, so that nobody takes it between asking and using.
export async function free_port(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await new Promise<boolean>((then) => {
      const server = createServer();
      server.on('error', () => then(false));
      server.listen(port, '127.0.0.1', () => server.close(() => then(true)));
    });
    if (free) return port;
  }
}

class Program {
  readonly folder: string;
  private child: ChildProcess | undefined;

  protected constructor(
    private readonly name: string,
    settings: string,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-web-`));
    writeFileSync(
      join(this.folder, 'settings.toml'),
      `state_dir = "${this.folder}/state"\ncontrol_socket = "${this.folder}/control.sock"\n${settings}`,
    );
  }

  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const child = spawn(join(kBin, this.name), ['--config', join(this.folder, 'settings.toml'), 'run'], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    process.once('exit', () => child.kill('SIGKILL'));
    const ended = new Promise<never>((_, fail) => {
      child.once('error', fail);
      child.once('exit', (code) => fail(new Error(`${this.name} ended with ${code}`)));
    });
    ended.catch(() => {}); // later it may end as it likes
    await Promise.race([ended, until(() => this.call('status'), `${this.name} answers`)]).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.log()}`);
    });
  }

  // Ends it at once, as a power cut would.
  async kill(): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((then) => child.once('exit', then));
    child.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8').slice(-4000);
  }

  async call(...command: string[]): Promise<string> {
    const whole = ['--config', join(this.folder, 'settings.toml'), ...command];
    return (await run(join(kBin, this.name), whole, { timeout: 60_000 })).stdout;
  }

  async ask<T>(...command: string[]): Promise<T> {
    return JSON.parse(await this.call(...command, '--json')) as T;
  }
}

export class Box extends Program {
  private constructor(
    readonly url: string,
    settings: string,
  ) {
    super('hearthcast-box', settings);
  }

  // Without a rendezvous a device knows of the box's tunnel only that its port is 4755. The multicast instance is of
  // interfaces that no machine has, so that the page has something to complain of.
  static async start(tunnel: number): Promise<Box> {
    const [https, http] = [await free_port(), await free_port()];
    const box = new Box(
      `https://127.0.0.1:${https}`,
      `name = "Home"\n[https]\nlisten = "127.0.0.1:${https}"\n[http]\nlisten = "127.0.0.1:${http}"\n[network]\ntunnel_port = ${tunnel}\nupstream_interface = "lo"\n` +
        `[[multicast]]\nname = "tv"\nupstream = ["no-provider"]\ndownstream = ["no-lan"]\n`,
    );
    await box.start();
    return box;
  }

  async setup_code(): Promise<string> {
    return (await this.ask<{ setup_code: string }>('setup-code')).setup_code;
  }
}

export class Away extends Program {
  private constructor(
    readonly url: string,
    settings: string,
  ) {
    super('hearthcast-away', settings);
  }

  static async start(name: string): Promise<Away> {
    const listen = `127.0.0.1:${await free_port()}`;
    const away = new Away(`http://${listen}`, `name = ${JSON.stringify(name)}\n[http]\nlisten = "${listen}"\n`);
    await away.start();
    return away;
  }
}
