// The real hearthcast-away beside the real box: what the page shows while a device comes, watches and is shown out.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Window } from './browser';
import { Away, Box, until } from './programs';
import { Provider } from './provider';

let box: Box;
let away: Away;
let window: Window;
let player: ClientRequest | undefined;
const provider = new Provider('239.255.77.1', 5077);

beforeAll(async () => {
  await provider.start();
  box = await Box.start(4755);
  const list = join(box.folder, 'channels.m3u');
  writeFileSync(list, '#EXTM3U\n#EXTINF:-1,Kitchen TV\nudp://@239.255.77.1:5077\n#EXTINF:-1,Not for guests\nudp://@239.255.77.2:5077\n');
  await box.call('import', list);
  away = await Away.start('Laptop');
  window = await Window.open(box.url);
});
afterAll(async () => {
  player?.destroy();
  await window?.close();
  await away?.close();
  await box?.close();
  provider.close();
});

// Plays the only channel that the device has. Resolves with the first octets.
async function play(): Promise<{ answer: IncomingMessage; bytes: Buffer }> {
  const list = await until(async () => {
    const text = await (await fetch(`${away.url}/playlist.m3u`)).text();
    return text.includes('http://') && text;
  }, 'the channel in the playlist of the device');
  expect(list).toContain('Kitchen TV');
  expect(list).not.toContain('Not for guests');
  const url = list.split('\n').find((line) => line.startsWith('http://'))!.trim();
  return new Promise((then, fail) => {
    player = get(url, (answer) => {
      answer.once('data', (bytes: Buffer) => then({ answer, bytes }));
      answer.on('error', () => {});
    });
    player.on('error', fail);
  });
}

describe('a device', () => {
  it('pairs by its own command and is told the symbols that the page shows', async () => {
    const { page } = window;
    await page.getByLabel('Set-up code').fill(await box.setup_code());
    await page.getByLabel('New password', { exact: true }).fill('a kettle under the stairs');
    await page.keyboard.press('Enter');
    await window.heading('Now add a device');
    await window.go('#/devices/add', 'Add a device');
    await page.getByRole('button', { name: 'Make a link and a code' }).click();
    const link = await page.getByLabel('Link', { exact: true }).inputValue();
    const said = await away.call('pair', link);
    await page.getByRole('heading', { name: '“Laptop” wants in' }).waitFor();
    const symbols = (await page.locator('.fingerprint').innerText()).replace('Symbols:', '').trim();
    expect(said).toContain(symbols);
    await page.getByLabel('Kitchen TV').check();
    await page.getByRole('button', { name: 'Approve' }).click();
    await window.says('is one of this home now');
  });

  it('is shown as connected, and with what it watches', async () => {
    const { page } = window;
    await window.go('#/devices', 'Devices');
    await window.says(/^Connected/);
    const { bytes } = await play();
    expect(bytes.readUInt8(0)).toBe(0x47);
    await page.getByText('Kitchen TV', { exact: true }).waitFor();
    await window.inspect('21-device-watches');
    await window.go('#/', 'One device is watching');
    await window.inspect('22-home-on-now');
    await window.go('#/channels', 'Channels');
    await window.says('Live');
    await window.says(/[0-9] [kM]bit\/s/);
    await window.says('1 viewer');
    await window.inspect('23-channels-live');
  });

  it('lends its name to a player at home by a LAN link, until the owner takes that away', async () => {
    const { page } = window;
    await window.go('#/devices', 'Devices');
    await page.getByRole('link', { name: 'Laptop' }).click();
    await page.getByRole('button', { name: 'Make a LAN link' }).click();
    const url = await page.getByLabel('LAN link', { exact: true }).inputValue();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[0-9]+\/lan\/[0-9A-Z]{26}\/playlist\.m3u$/);
    await window.inspect('24-lan-link');
    const list = await (await fetch(url)).text();
    expect(list).toContain('Kitchen TV');
    expect(list).not.toContain('Not for guests');
    const channel = list.split('\n').find((line) => line.startsWith('http://'))!.trim();
    const guest = await fetch(channel);
    expect(guest.headers.get('content-type')).toBe('video/mp2t');
    const reader = guest.body!.getReader();
    expect((await reader.read()).value![0]).toBe(0x47);
    await window.go('#/', 'One device is watching');
    await window.says('by its LAN link');
    await window.inspect('25-home-lan-link');
    await window.go('#/devices', 'Devices');
    await page.getByRole('link', { name: 'Laptop' }).click();
    await window.says('It cannot be shown again');
    await page.getByRole('button', { name: 'Take it away' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Take away' }).click();
    await page.getByRole('button', { name: 'Make a LAN link' }).waitFor();
    while (!(await reader.read().catch(() => ({ done: true }))).done); // cut off
    expect((await fetch(url)).status).toBe(403);
  });

  it('is cut off when the owner revokes it', async () => {
    const { page } = window;
    const ended = new Promise((then) => player!.once('close', then));
    await window.go('#/devices', 'Devices');
    await page.getByRole('link', { name: 'Laptop' }).click();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await window.says('Revoked: it cannot connect.');
    await ended;
    await window.go('#/', 'All is ready');
    await window.says('Nobody is watching');
  });
});
