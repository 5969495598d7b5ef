import { describe, expect, it } from 'vitest';
import { parse_route } from '../../src/route';

describe('parse_route', () => {
  it.each([
    ['', { screen: 'home' }],
    ['#/', { screen: 'home' }],
    ['#/channels', { screen: 'channels' }],
    ['#/channels/import', { screen: 'import' }],
    ['#/devices/add', { screen: 'add_device' }],
    ['#/devices/17', { screen: 'device', id: 17 }],
    ['#/devices/17/', { screen: 'device', id: 17 }],
  ])('%s', (hash, route) => expect(parse_route(hash)).toEqual(route));

  it.each(['#/devices/0', '#/devices/-1', '#/devices/1e9', '#/devices/99999999999999999', '#/devices/1/2', '#/nowhere'])(
    '%s leads nowhere',
    (hash) => expect(parse_route(hash)).toEqual({ screen: 'unknown' }),
  );
});
