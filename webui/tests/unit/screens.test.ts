import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/api/problem';
import type { Status } from '../../src/api/types';
import { account } from '../../src/live/account.svelte';
import { box } from '../../src/live/box.svelte';
import Frame from '../../src/parts/Frame.svelte';
import AddDevice from '../../src/screens/AddDevice.svelte';
import Channels from '../../src/screens/Channels.svelte';
import Device from '../../src/screens/Device.svelte';
import Devices from '../../src/screens/Devices.svelte';
import FirstStart from '../../src/screens/FirstStart.svelte';
import Home from '../../src/screens/Home.svelte';
import Import from '../../src/screens/Import.svelte';
import Settings from '../../src/screens/Settings.svelte';
import SignIn from '../../src/screens/SignIn.svelte';
import Unknown from '../../src/screens/Unknown.svelte';
import Unreachable from '../../src/screens/Unreachable.svelte';
import { createRawSnippet } from 'svelte';
import { channel, device, hostile, html, know, live, viewer, words } from './render';

const status: Status = {
  name: 'Home',
  version: '1.2.3',
  setup_needed: false,
  uptime_s: 7200,
  rendezvous: { state: 'connected', text: 'Connected to it.' },
  reachability: { state: 'anywhere', text: 'From anywhere, it says.' },
  upstream: { state: 'up', text: 'Television comes in on eth0.', interface: 'eth0' },
};

beforeEach(() => {
  know();
  account.box_name = '';
  account.error = undefined;
});

const everything = {
  status,
  channels: [channel(1), channel(2)],
  revision: 1,
  wanted_revision: 1,
  live: new Map([[1, live]]),
  devices: [device(1), device(2, { state: 'pending' }), device(3, { state: 'revoked' })],
  viewers: [viewer(1, 1)],
};

describe('every screen', () => {
  const screens = { AddDevice, Channels, Devices, FirstStart, Home, Import, Settings, SignIn, Unknown, Unreachable };
  it.each(Object.entries(screens))('%s shows something before anything is known', (_name, screen) => {
    expect(words(screen).length).toBeGreaterThan(10);
  });
  it.each(Object.entries(screens))('%s has one heading of the first rank', (_name, screen) => {
    know(everything);
    expect(html(screen).match(/<h1/g)).toHaveLength(1);
  });
  it.each(Object.entries(screens))('%s takes what strangers wrote as text', (_name, screen) => {
    account.box_name = hostile;
    know({
      ...everything,
      status: { ...status, name: hostile, version: hostile, upstream: { state: 'down', text: hostile } },
      channels: [channel(1, { name: hostile, attributes: { 'group-title': hostile } })],
      devices: [device(1, { name: hostile, state: 'pending' }), device(2, { name: hostile, address: hostile, connected: true })],
      viewers: [viewer(1, 1, { device_name: hostile, channel_name: hostile })],
    });
    expect(html(screen)).not.toContain('<img src=x');
  });
  it.each(Object.entries(screens))('%s survives lists without anything in them', (_name, screen) => {
    know({ status: { name: '', version: '', setup_needed: false }, channels: [], devices: [], viewers: [] });
    expect(words(screen)).not.toMatch(/undefined|NaN|null/);
  });
});

describe('Home', () => {
  const headline = () => html(Home).match(/<h1[^>]*>(.*?)<\/h1>/)![1];
  it.each([
    ['nothing is known', {}, 'One moment…'],
    ['a device waits', { ...everything }, 'Someone is at the door'],
    ['there are no channels', { ...everything, devices: [], channels: [] }, 'First, some channels'],
    ['there is no device', { ...everything, devices: [] }, 'Now add a device'],
    ['nobody watches', { ...everything, devices: [device(1)], viewers: [] }, 'All is ready'],
    ['one watches', { ...everything, devices: [device(1)] }, 'One device is watching'],
    [
      'one device watches two channels, another one',
      { ...everything, devices: [device(1)], viewers: [viewer(1, 1), viewer(1, 2), viewer(2, 1)] },
      '2 devices are watching',
    ],
    [
      'the cable is out',
      { ...everything, devices: [device(1)], status: { ...status, upstream: { state: 'down' as const, text: 'x' } } },
      'No television comes in',
    ],
  ])('when %s', (_when, known, text) => {
    know(known);
    expect(headline()).toBe(text);
  });

  it('tells who watches what, how and for how long', () => {
    know({ ...everything, viewers: [viewer(1, 1, { path: 'direct', since_s: 3700, bytes: 2_500_000_000, dropped: 1, sent_again: 3 })] });
    const text = words(Home);
    for (const part of ['Channel 1', 'on Device 1 directly', 'for 1 h 1 min', '2.50 GB', '3 packets repaired', '1 packet dropped']) {
      expect(text).toContain(part);
    }
  });
  it('shows only the facts that the box told', () => {
    know({ ...everything, status: { name: 'Home', version: '1', setup_needed: false } });
    const text = words(Home);
    expect(text).not.toContain('Rendezvous');
    expect(text).not.toContain('up for');
  });
  it('says when the channels could not be loaded', () => {
    know({ status });
    box.channels_error = new ApiError('internal', 'The box could not read them.', '');
    expect(words(Home)).toContain('The box could not read them.');
  });
});

describe('Channels', () => {
  it('is loading until the list is there', () => expect(words(Channels)).toContain('Loading…'));
  it('leads to the import when the box knows none', () => {
    know({ channels: [] });
    expect(words(Channels)).toContain('The box knows no channels yet');
  });
  it('shows a hundred, and how many are left', () => {
    know({ channels: Array.from({ length: 350 }, (_, n) => channel(n + 1)) });
    expect(words(Channels)).toContain('350 channels');
    expect(words(Channels)).toContain('Show more (250 left)');
  });
  it('offers groups only when there are several', () => {
    know({ channels: [channel(1, { attributes: { 'group-title': 'News' } }), channel(2)] });
    expect(words(Channels)).not.toContain('All groups');
    know({ channels: ['News', 'Film'].map((group, n) => channel(n + 1, { attributes: { 'group-title': group } })) });
    expect(words(Channels)).toContain('All groups Film News');
  });
});

describe('Device', () => {
  it('is loading until the devices are there, and then known or not', () => {
    expect(words(Device, { id: 1 })).toContain('Loading…');
    know({ devices: [] });
    expect(words(Device, { id: 1 })).toContain('This device is not known here.');
  });
  it('asks for approval of a pending one', () => {
    know(everything);
    expect(words(Device, { id: 2 })).toContain('wants in');
  });
  it('offers a revoked one to come back, and not to be revoked again', () => {
    know(everything);
    const revoke_buttons = (id: number) => html(Device, { id }).match(/>Revoke<\/button>/g);
    expect(words(Device, { id: 3 })).toContain('Let it in again');
    expect(revoke_buttons(1)).toHaveLength(2); // the button, and that of its dialog
    expect(revoke_buttons(3)).toHaveLength(1);
  });
  it('shows where a connected one is', () => {
    know({ devices: [device(1, { connected: true, path: 'lan', address: '192.168.1.7:40000' })], channels: [] });
    expect(words(Device, { id: 1 })).toContain('Connected at home 192.168.1.7:40000');
  });
  it('cannot be saved before something is changed', () => {
    know(everything);
    expect(html(Device, { id: 1 })).toMatch(/<button class="button primary" disabled/);
  });
});

describe('the LAN link of a device', () => {
  it('can be made for one that may watch, and for no other', () => {
    know(everything);
    expect(words(Device, { id: 1 })).toContain('Make a LAN link');
    expect(words(Device, { id: 2 })).not.toContain('LAN link');
    expect(words(Device, { id: 3 })).not.toContain('LAN link');
  });
  it('is not shown again once it is made, but can be replaced or taken away', () => {
    know({ ...everything, devices: [device(1, { lan_link: true })] });
    const text = words(Device, { id: 1 });
    for (const part of ['It cannot be shown again', 'Make another LAN link', 'Take it away']) expect(text).toContain(part);
    expect(text).not.toContain('Make a LAN link');
  });
  it('is told of on the first page, beside the tunnel of the same device and channel', () => {
    know({ ...everything, devices: [device(1)], viewers: [viewer(1, 1), viewer(1, 1, { via: 'lan_link', players: 2 })] });
    expect(words(Home)).toContain('on Device 1 by its LAN link, 2 players');
    expect(words(Devices).match(/Channel 1/g)).toHaveLength(1);
  });
});

describe('Devices', () => {
  it('puts those at the door before the others', () => {
    know(everything);
    const text = words(Devices);
    expect(text.indexOf('Device 2')).toBeLessThan(text.indexOf('Device 1'));
    expect(text).toContain('2 devices');
    expect(text).toContain('nothing while revoked');
  });
  it('says what is watched instead of when it was seen', () => {
    know({ devices: [device(1, { last_seen_s: 5 }), device(4, { last_seen_s: 60 })], viewers: [viewer(1, 1), viewer(1, 2)] });
    const text = words(Devices);
    expect(text).toContain('Channel 1, Channel 2');
    expect(text).toContain('last seen 1 min ago');
    expect(text).not.toContain('last seen 5 s');
  });
});

describe('the way in', () => {
  it('names the box when it is known', () => {
    account.box_name = 'Cabin';
    expect(words(SignIn)).toContain('Sign in to Cabin');
  });
  it('has no default for the first password', () => {
    expect(html(FirstStart)).not.toMatch(/type="password"[^>]* value="[^"]/);
    expect(words(FirstStart)).toContain('hearthcast-box setup-code');
  });
  it('says why the box is not reached', () => {
    account.error = new ApiError('no_answer', 'The box does not answer.', 'Check that it is switched on.');
    expect(words(Unreachable)).toContain('Check that it is switched on.');
  });
});

describe('Frame', () => {
  const children = createRawSnippet(() => ({ render: () => '<p>inside</p>' }));
  it('counts those who wait, and marks where one is', () => {
    know(everything);
    expect(words(Frame, { children })).toContain('Devices 1 waiting');
    expect(html(Frame, { children }).match(/aria-current="page"/g)).toHaveLength(1);
  });
  it('says when what is shown may be old', () => {
    know(everything);
    expect(words(Frame, { children })).not.toContain('does not answer');
    box.connection = 'lost';
    expect(words(Frame, { children })).toContain('The box does not answer');
  });
});

describe('account', () => {
  const answering = (answers: Record<string, [number, unknown]>) =>
    vi.fn(async (url: string) => {
      const [code, body] = answers[url.replace('/api/v1', '')] ?? [404, {}];
      return new Response(JSON.stringify(body), { status: code });
    });

  it.each([
    ['setup', { setup_needed: true }, { signed_in: false }],
    ['signed_out', { setup_needed: false }, { signed_in: false }],
  ] as const)('is %s as the box says', async (state, said, session) => {
    vi.stubGlobal('fetch', answering({ '/status': [200, { name: 'Home', version: '1', ...said }], '/session': [200, session] }));
    await account.ask();
    expect(account.state).toBe(state);
    expect(account.box_name).toBe('Home');
    vi.unstubAllGlobals();
  });
  it('is unreachable when nothing answers, or something else does', async () => {
    for (const fetch of [vi.fn(async () => Promise.reject(new TypeError('x'))), vi.fn(async () => new Response('<html>'))]) {
      account.state = 'asking';
      vi.stubGlobal('fetch', fetch);
      await account.ask();
      expect(account.state).toBe('unreachable');
      expect(account.error).toBeInstanceOf(ApiError);
    }
    vi.unstubAllGlobals();
  });
});
