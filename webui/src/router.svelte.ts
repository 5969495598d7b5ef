// The screen that is shown now; follows the part of the address after #.
import { parse_route, type Route } from './route';

class Router {
  route = $state.raw<Route>({ screen: 'home' });

  start(): void {
    const follow = () => (this.route = parse_route(location.hash));
    addEventListener('hashchange', follow);
    follow();
  }
}

export const router = new Router();

export function go(hash: string): void {
  location.hash = hash;
}
