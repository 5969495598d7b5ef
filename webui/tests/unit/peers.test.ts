import { describe, expect, it } from 'vitest';
import type { Peer } from '../../src/api/types';
import Peers from '../../src/parts/Peers.svelte';
import { hostile, html, words } from './render';

const cabin: Peer = {
  name: 'cabin',
  encapsulation: 'gre-udp',
  sealed: false,
  learnt: false,
  endpoint: '192.0.2.7:4754',
  watching: [],
  packets: 0,
  bytes: 0,
  send_dropped: 0,
  received: 0,
  moves: 0,
  drops: {},
};
const shown = (...peers: Peer[]): string => words(Peers, { peers: { peers } });

describe('Peers', () => {
  it('is not there before anything is known, nor without a peer', () => {
    expect(words(Peers, { peers: undefined })).toBe('');
    expect(shown()).toBe('');
  });
  it('says plainly of each peer that it is not encrypted', () => {
    const text = shown(cabin, { ...cabin, name: 'shed' });
    expect(text.match(/Not encrypted/g)).toHaveLength(2);
    expect(text).toContain('Everybody on the way can see what these watch');
    expect(text).toContain('gre-udp, at 192.0.2.7:4754; watches nothing.');
  });
  it('tells what it watches and where it was seen', () => {
    expect(shown({ ...cabin, learnt: true, watching: [1, 2] })).toContain('seen at 192.0.2.7:4754; watches 2 channels.');
    const { endpoint: _, ...nowhere } = cabin;
    expect(shown({ ...nowhere, learnt: true })).toContain('nobody knows where it is now');
  });
  it('tells why it does not work and what was refused', () => {
    const text = shown({ ...cabin, trouble: 'The helper is missing.', refusal: 'The owner has not allowed "News" for cabin.' });
    expect(text).toContain('The helper is missing.');
    expect(text).toContain('has not allowed "News"');
  });
  it('takes names as text', () => {
    expect(html(Peers, { peers: { peers: [{ ...cabin, name: hostile }] } })).not.toContain('<img');
  });
});
