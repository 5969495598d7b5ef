// From first start to a device that may watch, as the owner does it, in the page that the real box serves.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Window } from './browser';
import { pair } from './device';
import { Box, free_port } from './programs';

const kPassword = 'a kettle under the stairs';
// A name is text of strangers: these would run if the page took it for anything else.
const kHostileChannel = `<img src=x onerror="alert('channel')">`;
const kHostileDevice = `<script>alert('device')</script>`;
const kPlaylist = [
  '#EXTM3U',
  '#EXTINF:-1 tvg-id="one" group-title="News",First channel',
  'udp://@232.1.1.1:5000',
  `#EXTINF:-1 group-title="Film",${kHostileChannel}`,
  'rtp://192.0.2.7@232.1.1.2:5004',
  '#EXTINF:-1,Sixth protocol',
  'udp://@[ff3e::8000:1]:5000',
  '#EXTINF:-1,Not television',
  'http://example.net/stream',
].join('\n');

let box: Box;
let window: Window;

beforeAll(async () => {
  box = await Box.start(await free_port());
  window = await Window.open(box.url);
});
afterAll(async () => {
  await window?.close();
  await box?.close();
});

async function open_pairing(): Promise<string> {
  await window.page.getByRole('button', { name: /Make a link and a code|Make another/ }).click();
  return window.page.getByLabel('Link', { exact: true }).inputValue();
}

describe('the owner', () => {
  it('meets a box that has no password and takes none but with its set-up code', async () => {
    const { page } = window;
    await window.heading('Welcome. Let\'s make this box yours.');
    await window.inspect('01-first-start');
    await page.getByLabel('Set-up code').fill('WRONG-CODE');
    await page.getByLabel('New password', { exact: true }).fill(kPassword);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await window.inspect('02-wrong-code');
    await page.getByLabel('Set-up code').fill((await box.setup_code()).toLowerCase());
    await page.keyboard.press('Enter');
    await window.heading('First, some channels');
    await window.inspect('03-home-without-channels');
  });

  it('imports a playlist and is told about every line', async () => {
    const { page } = window;
    await page.getByRole('link', { name: 'Import a playlist' }).click();
    await window.heading('Import a playlist');
    await page.getByLabel('Or paste it').fill(kPlaylist);
    await window.inspect('04-import');
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByRole('heading', { name: 'Done, but one line could not be used' }).waitFor();
    await window.says('Line 9');
    await window.inspect('05-import-result');
    await page.getByRole('link', { name: 'See the channels' }).click();
    await window.heading('Channels');
    await window.says('3 channels');
  });

  it('sees names of strangers as text', async () => {
    await window.page.getByText(kHostileChannel, { exact: true }).waitFor();
    expect(await window.page.locator('main img').count()).toBe(0);
    await window.inspect('06-channels');
  });

  it('finds, renames and removes a channel', async () => {
    const { page } = window;
    await page.getByLabel('Search by name, group or address').fill('ff3e sixth');
    await window.says('1 of 3 channels');
    await page.getByText('Change Sixth protocol').locator('..').click();
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByLabel('New name of Sixth protocol').fill('The sixth');
    await page.keyboard.press('Enter');
    await page.getByLabel('Search by name, group or address').fill('');
    await page.getByText('The sixth', { exact: true }).waitFor();
    await page.getByText('Change The sixth').locator('..').click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await window.says('2 channels');
  });

  it('adds a device, sees it at the door with the same symbols, and says what it may watch', async () => {
    const { page } = window;
    await window.go('#/devices/add', 'Add a device');
    const link = await open_pairing();
    expect(link).toMatch(/^hearthcast:\/\/pair#[A-Za-z0-9_-]+$/);
    await page.getByRole('img', { name: 'The link as a QR code' }).waitFor();
    expect(await page.getByText(/^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/).count()).toBe(1);
    await window.inspect('07-pairing');

    const answer = await pair(link, kHostileDevice);
    await page.getByRole('heading', { name: `“${kHostileDevice}” wants in` }).waitFor();
    const symbols = (await page.locator('.fingerprint').innerText()).replace('Symbols:', '').trim();
    expect(answer).toEqual({ fingerprint: symbols, box_name: 'Home' });
    await window.inspect('08-at-the-door');

    await page.getByLabel('First channel').check();
    await page.getByRole('button', { name: 'Approve' }).click();
    await window.says('is one of this home now');
    await window.go('#/devices', 'Devices');
    await window.says('May watch 1 channel');
    await window.inspect('09-devices');
    const { devices: known } = await box.ask<{ devices: { name: string; state: string; channels: number[] }[] }>('devices');
    expect(known).toMatchObject([{ name: kHostileDevice, state: 'approved' }]);
    expect(known[0]!.channels).toHaveLength(1);
  });

  it('uses each link once, and is told of wrong guesses', async () => {
    const { page } = window;
    await window.go('#/devices/add', 'Add a device');
    const link = await open_pairing();
    expect(await pair(link, 'Guesser', Buffer.alloc(16))).toEqual({ refused: 'wrong_code' });
    await window.says('Somebody tried a wrong code.');
    await window.says('4 of 5 tries are left');
    await pair(link, 'Kitchen');
    await page.getByRole('heading', { name: '“Kitchen” wants in' }).waitFor();
    expect(await pair(link, 'Neighbour')).toEqual({ refused: 'used' });
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Refuse' }).click();
    await page.getByRole('heading', { name: 'The link has been used' }).waitFor();
  });

  it('sees the window close after five wrong guesses', async () => {
    const link = await open_pairing();
    for (let i = 0; i < 5; i++) expect(await pair(link, 'Guesser', Buffer.alloc(16))).toHaveProperty('refused');
    await window.page.getByRole('heading', { name: 'Closed after five wrong tries' }).waitFor();
    expect(await pair(link, 'Late')).toEqual({ refused: 'too_many_tries' });
  });

  it('changes a device, revokes it and forgets it', async () => {
    const { page } = window;
    await window.go('#/devices', 'Devices');
    await page.getByRole('link', { name: kHostileDevice }).click();
    await window.heading(kHostileDevice);
    await page.getByLabel('Name', { exact: true }).fill('Laptop');
    await page.getByRole('checkbox', { name: /All channels/ }).check();
    await window.inspect('10-device');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await window.heading('Laptop');
    await window.says('Saved. It is already in force.');
    const at_home = page.getByRole('form', { name: 'Devices at home' });
    await at_home.getByLabel('Addresses, one a line').fill('192.168.1.50:80\n192.168.1.64/28');
    await at_home.getByRole('button', { name: 'Save addresses' }).click();
    await at_home.getByText('Saved. It is already in force.').waitFor();
    expect(await at_home.getByLabel('Addresses, one a line').inputValue()).toBe('192.168.1.50:80\n192.168.1.64/28');
    await window.inspect('10-device-at-home');
    const { devices: granted } = await box.ask<{ devices: { home_hosts: string[] }[] }>('devices');
    expect(granted).toMatchObject([{ home_hosts: ['192.168.1.50:80', '192.168.1.64/28'] }]);
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await window.says('Revoked: it cannot connect.');
    await window.inspect('11-revoked');
    const { devices: known } = await box.ask<{ devices: { state: string; channels: unknown }[] }>('devices');
    expect(known).toMatchObject([{ state: 'revoked', channels: 'all' }]);
    await page.getByRole('button', { name: 'Revoke and forget' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke and forget' }).click();
    await window.heading('Devices');
    await window.says('No device belongs to this home yet');
  });

  it('is told when the box is gone, and is still signed in when it is back', async () => {
    const { page } = window;
    await window.go('#/settings', 'Settings');
    await box.kill();
    await window.says('The box does not answer.');
    await box.start();
    await page.getByText('The box does not answer.').waitFor({ state: 'hidden' });
    await page.getByRole('heading', { name: 'Multicast at home' }).waitFor();
    await window.says('no-provider');
    await window.inspect('13-settings');
    expect(await page.evaluate(async () => (await fetch('/api/v1/devices')).status)).toBe(200);
    await window.go('#/', /./);
    await page.getByRole('link', { name: '2', exact: true }).waitFor(); // the channels are still there
    await window.inspect('14-home');
  });

  it('signs out, and in again with nothing but the password', async () => {
    const { page } = window;
    await window.go('#/settings', 'Settings');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await window.heading('Sign in to Home');
    await page.getByLabel('Password', { exact: true }).fill('a guess of somebody else');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await window.inspect('12-sign-in');
    expect(await page.evaluate(async () => (await fetch('/api/v1/devices')).status)).toBe(401);
    await page.getByLabel('Password', { exact: true }).fill(kPassword);
    await page.keyboard.press('Enter');
    await window.heading('Settings');
  });

  it('needs no mouse: every control takes the keyboard, and shows that it does', async () => {
    const { page } = window;
    await window.go('#/channels', 'Channels');
    const reached = new Map<string, boolean>();
    for (let i = 0; i < 25; i++) {
      await page.keyboard.press('Tab');
      const [name, ring] = await page.evaluate(() => {
        const at = document.activeElement as HTMLElement;
        if (at === document.body) return ['', true]; // past the end; the next one is the first again
        return [at.innerText.trim() || at.getAttribute('placeholder') || at.id || at.tagName, getComputedStyle(at).outlineStyle !== 'none'];
      });
      reached.set(name as string, ring as boolean);
    }
    expect([...reached].filter(([, ring]) => !ring)).toEqual([]);
    const names = [...reached.keys()].join('\n');
    for (const name of ['Skip to the content', 'Home', 'Devices', 'Settings', 'Import a playlist', 'Search', 'Change First channel']) {
      expect(names).toContain(name);
    }
    expect(window.faults).toEqual([]);
  });
});
