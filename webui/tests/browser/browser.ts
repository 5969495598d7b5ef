// Chromium with one page, watched: whatever the page gets wrong on its own (an exception, something its own policy
// forbids, a dialog that a name brought up) is collected and fails the test.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { kRoot } from './programs';

const kShots = join(kRoot, 'build/web');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const kPhone = { width: 390, height: 844 };
export const kDesk = { width: 1280, height: 800 };
const kNarrowest = { width: 320, height: 640 };

export class Window {
  readonly faults: string[] = [];
  private constructor(
    private readonly browser: Browser,
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async open(url: string): Promise<Window> {
    mkdirSync(kShots, { recursive: true });
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    // The box's certificate is its own; a person would accept it once.
    const context = await browser.newContext({ viewport: kDesk, ignoreHTTPSErrors: true, baseURL: url });
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    const window = new Window(browser, context, page);
    page.on('pageerror', (error) => window.faults.push(`exception: ${error.message}`));
    page.on('dialog', (dialog) => {
      window.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) window.faults.push(message.text());
    });
    await page.goto('/');
    return window;
  }

  async close(): Promise<void> {
    await this.context.close();
    await this.browser.close();
  }

  // Moves to a screen as a link does, and waits for its heading.
  async go(hash: string, heading: string | RegExp): Promise<void> {
    await this.page.evaluate((to) => (location.hash = to), hash);
    await this.heading(heading);
  }

  async heading(text: string | RegExp): Promise<void> {
    await this.page.getByRole('heading', { level: 1, name: text }).waitFor();
  }

  async says(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  // What every screen owes: no serious fault by axe in light and dark, nothing that leaves the narrowest phone
  // sideways, cards that stand apart, no fault of the page's own; and pictures of it in build/web/.
  async inspect(name: string): Promise<void> {
    for (const scheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const [size, viewport] of [['phone', kPhone], ['desk', kDesk]] as const) {
        await this.page.setViewportSize(viewport);
        await this.page.screenshot({ path: join(kShots, `${name}-${size}-${scheme}.png`) });
        expect(await this.touching_cards(), `cards of ${name} that touch, ${size}`).toEqual([]);
      }
      expect(await this.serious_faults(), `axe on ${name}, ${scheme}`).toEqual([]);
    }
    await this.page.setViewportSize(kNarrowest);
    const too_wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(too_wide, `${name} at ${kNarrowest.width} pixels scrolls sideways`).toBeLessThanOrEqual(0);
    await this.page.setViewportSize(kDesk);
    await this.page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    expect(this.faults).toEqual([]);
  }

  private async touching_cards(): Promise<string[]> {
    return this.page.evaluate(() => {
      const apart = 4; // pixels
      const cards = [...document.querySelectorAll('.card')].map((card) => ({ card, box: card.getBoundingClientRect() }));
      const touching = cards.flatMap((one, n) =>
        cards
          .slice(n + 1)
          .filter(
            ({ card, box }) =>
              !one.card.contains(card) &&
              box.left < one.box.right + apart && one.box.left < box.right + apart &&
              box.top < one.box.bottom + apart && one.box.top < box.bottom + apart,
          )
          .map(({ card }) => [one.card, card]),
      );
      return touching.map((pair) => pair.map((card) => card.querySelector('h2, h3')?.textContent ?? card.className).join(' and '));
    });
  }

  private async serious_faults(): Promise<string[]> {
    await this.page.evaluate(axe);
    return this.page.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: typeof import('axe-core') }).axe.run();
      return violations
        .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
        .map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`);
    });
  }
}
