import { describe, expect, it } from 'vitest';
import type { Multicast as State, MulticastInstance } from '../../src/api/types';
import Multicast from '../../src/parts/Multicast.svelte';
import { hostile, html, words } from './render';

const tv: MulticastInstance = {
  name: 'tv',
  send_upstream: false,
  tunnels: 'none',
  diagnosis: [],
  upstream_interface: [{ interface_name: 'eth0', index: 2, state: 'up', traffic: [], families: [] }],
  downstream_interface: [
    { interface_name: 'eth1', index: 3, state: 'up', traffic: [], families: [] },
    { interface_name: 'eth2', state: 'absent', traffic: [], families: [] },
  ],
  group: [],
  route: [],
  drops: {},
  upstream_changes: 0,
};
const wanted = {
  group_address: '239.1.1.1',
  filter_mode: 'exclude' as const,
  source_address: [],
  up_time_s: 4,
  packets: 9,
  bytes: 9000,
  upstream_interface: [],
  downstream_interface: [{ interface_name: 'eth1', filter_mode: 'exclude' as const, source_address: [] }],
};
const state = (parts: Partial<State> = {}): State => ({ instance: [tv], tunnel: [], trouble: [], drops: {}, ...parts });

describe('Multicast', () => {
  it('is not there before anything is known, nor without an instance', () => {
    expect(words(Multicast, { multicast: undefined })).toBe('');
    expect(words(Multicast, { multicast: state({ instance: [] }) })).toBe('');
  });
  it('tells the way of each instance and that nothing is wrong', () => {
    expect(words(Multicast, { multicast: state() })).toBe(
      'Multicast at home tv From eth0 to eth1, eth2; nobody listens now. Nothing is wrong.',
    );
  });
  it('tells of devices away and of groups that somebody wants', () => {
    const instance = [{ ...tv, tunnels: 'chosen' as const, group: [wanted, { ...wanted, downstream_interface: [] }] }];
    expect(words(Multicast, { multicast: state({ instance }) })).toContain('eth2 and devices away; 1 group is wanted.');
  });
  it('tells each finding in its own words instead', () => {
    const diagnosis = [
      { code: 'no_query', text: 'No query seen from the provider for 300 s.' },
      { code: 'other_querier', text: 'Two routers on the LAN.' },
    ];
    const shown = words(Multicast, { multicast: state({ instance: [{ ...tv, diagnosis }] }) });
    expect(shown).toContain('No query seen from the provider for 300 s. Two routers on the LAN.');
    expect(shown).not.toContain('Nothing is wrong');
  });
  it('tells what the machine refuses even when no instance runs', () => {
    const shown = words(Multicast, { multicast: state({ instance: [], trouble: ['The helper is missing.'] }) });
    expect(shown).toBe('Multicast at home The helper is missing.');
  });
  it('takes names as text', () => {
    expect(html(Multicast, { multicast: state({ instance: [{ ...tv, name: hostile }], trouble: [hostile] }) })).not.toContain('<img');
  });
});
