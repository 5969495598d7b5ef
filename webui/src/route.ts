// Which screen the part after # names. Links are plain: <a href="#/devices/3">.

export type Route =
  | { screen: 'home' | 'channels' | 'import' | 'devices' | 'add_device' | 'settings' | 'unknown' }
  | { screen: 'device'; id: number };

export function parse_route(hash: string): Route {
  const parts = hash.replace(/^#\/?/, '').split('?')[0]!.split('/').filter(Boolean);
  switch (parts.join('/')) {
    case '':
      return { screen: 'home' };
    case 'channels':
      return { screen: 'channels' };
    case 'channels/import':
      return { screen: 'import' };
    case 'devices':
      return { screen: 'devices' };
    case 'devices/add':
      return { screen: 'add_device' };
    case 'settings':
      return { screen: 'settings' };
  }
  if (parts.length === 2 && parts[0] === 'devices' && /^[1-9][0-9]{0,15}$/.test(parts[1]!)) {
    return { screen: 'device', id: Number(parts[1]) };
  }
  return { screen: 'unknown' };
}
