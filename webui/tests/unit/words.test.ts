import { describe, expect, it } from 'vitest';
import type { Channel, Device } from '../../src/api/types';
import { viewer } from './render';
import { address, device_words, grant_words, last_seen, live_words, may_watch, path_words, same_grant, way_words } from '../../src/format/words';

const device: Device = {
  id: 3,
  name: 'Laptop',
  fingerprint: '7KQ4',
  state: 'approved',
  channels: [],
  connected: false,
  home_hosts: [],
  lan_link: false,
};

describe('address', () => {
  it('writes IPv4 plainly', () => expect(address({ group: '232.1.1.1', port: 5000 })).toBe('232.1.1.1:5000'));
  it('puts the source first', () =>
    expect(address({ source: '192.0.2.7', group: '232.1.1.1', port: 5000 })).toBe('192.0.2.7@232.1.1.1:5000'));
  it('brackets IPv6', () =>
    expect(address({ source: '2001:db8::1', group: 'ff3e::8000:1', port: 5004 })).toBe(
      '[2001:db8::1]@[ff3e::8000:1]:5004',
    ));
});

describe('device_words', () => {
  it('says how a connected device is reached', () =>
    expect(device_words({ ...device, connected: true, path: 'direct' })).toEqual({
      text: 'Connected directly',
      tone: 'good',
    }));
  it('says why a device is relayed once it has told', () => {
    expect(device_words({ ...device, connected: true, path: 'relayed' }).text).toBe('Connected through a relay');
    expect(
      device_words({ ...device, connected: true, path: 'relayed', path_reason: 'this network blocks UDP' }).text,
    ).toBe('Connected through a relay: this network blocks UDP');
  });
  it('says connected when the path is not known', () =>
    expect(device_words({ ...device, connected: true }).text).toBe('Connected'));
  it('puts revoked before connected: its session is ending', () =>
    expect(device_words({ ...device, state: 'revoked', connected: true }).text).toBe('Revoked'));
  it('asks the owner for a pending one', () =>
    expect(device_words({ ...device, state: 'pending' })).toEqual({ text: 'Waits for you', tone: 'warn' }));
});

describe('last_seen', () => {
  it('tells now, then and never apart', () => {
    expect(last_seen({ ...device, connected: true })).toBe('connected now');
    expect(last_seen({ ...device, last_seen_s: 7200 })).toBe('last seen 2 h ago');
    expect(last_seen(device)).toBe('not seen since the box started');
  });
});

describe('grants', () => {
  const channel = { id: 7 } as Channel;
  it('are none unless ticked', () => {
    expect(may_watch([], channel)).toBe(false);
    expect(may_watch([7], channel)).toBe(true);
    expect(may_watch('all', channel)).toBe(true);
  });
  it('are told in words', () => {
    expect(grant_words('all')).toBe('all channels');
    expect(grant_words([])).toBe('no channels yet');
    expect(grant_words([7])).toBe('1 channel');
  });
});

describe('same_grant', () => {
  it('does not mind the order in which channels were ticked', () => {
    expect(same_grant([1, 2, 3], [3, 1, 2])).toBe(true);
    expect(same_grant([], [])).toBe(true);
    expect(same_grant('all', 'all')).toBe(true);
  });
  it('minds every channel', () => {
    expect(same_grant([1, 2], [1])).toBe(false);
    expect(same_grant([1], [1, 2])).toBe(false);
    expect(same_grant([1, 2], [1, 3])).toBe(false);
    expect(same_grant('all', [1])).toBe(false);
    expect(same_grant([], 'all')).toBe(false);
  });
  it('does not take one that is named twice for two', () => {
    expect(same_grant([1, 1], [1])).toBe(true);
    expect(same_grant([1, 1], [1, 2])).toBe(false);
  });
});

describe('way_words', () => {
  it('tells of the path of a tunnel', () => expect(way_words(viewer(1, 1, { path: 'direct' }))).toBe('directly'));
  it('tells of a LAN link, and of several players on it', () => {
    expect(way_words(viewer(1, 1, { path: 'lan', via: 'lan_link' }))).toBe('by its LAN link');
    expect(way_words(viewer(1, 1, { path: 'lan', via: 'lan_link', players: 3 }))).toBe('by its LAN link, 3 players');
  });
});

describe('path_words', () => {
  it('has no word for what it does not know', () => {
    expect(path_words(undefined)).toBe('');
    expect(path_words('teleport')).toBe('');
    expect(path_words('relayed')).toBe('through a relay');
  });
});

describe('live_words', () => {
  it('has a word for each state', () => {
    const of = (state: 'idle' | 'joining' | 'live' | 'no_signal') =>
      live_words({ state, bitrate_bps: 0, packets: 0, continuity_errors: 0, viewers: 0 }).text;
    expect([of('idle'), of('joining'), of('live'), of('no_signal')]).toEqual(['Idle', 'Joining', 'Live', 'No signal']);
  });
});
