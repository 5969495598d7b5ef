import { describe, expect, it } from 'vitest';
import type { Channel } from '../../src/api/types';
import { group_titles, matches } from '../../src/format/search';

function channel(name: string, group_title?: string): Channel {
  return {
    id: 1,
    name,
    flow: { group: '232.1.2.3', port: 5000 },
    rtp: false,
    attributes: group_title ? { 'group-title': group_title } : {},
    live: { state: 'idle', bitrate_bps: 0, packets: 0, continuity_errors: 0, viewers: 0 },
  };
}

describe('matches', () => {
  const arts = channel('Ärts HD', 'Culture');
  it('finds everything when nothing is asked', () => expect(matches(arts, '  ')).toBe(true));
  it('minds neither case nor accents', () => expect(matches(arts, 'arts')).toBe(true));
  it('wants every word, in any order and field', () => {
    expect(matches(arts, 'culture ärts')).toBe(true);
    expect(matches(arts, 'culture news')).toBe(false);
  });
  it('looks in the address', () => expect(matches(arts, '232.1.2.3:5000')).toBe(true));
});

describe('group_titles', () => {
  it('names each once, sorted, without the nameless', () =>
    expect(group_titles([channel('a', 'News'), channel('b'), channel('c', 'Film'), channel('d', 'News')])).toEqual([
      'Film',
      'News',
    ]));
});
