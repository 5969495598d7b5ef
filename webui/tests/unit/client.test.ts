import { describe, expect, it, vi } from 'vitest';
import { call, when_signed_out } from '../../src/api/client';
import { ApiError, problem_of } from '../../src/api/problem';

function answering(status: number, body: string | null, type = 'application/json') {
  return vi.fn(async (_url: string | URL | Request, _init?: RequestInit) => {
    return new Response(body, { status, headers: { 'Content-Type': type } });
  });
}

describe('call', () => {
  it('asks with the path, the id and no forged-request header when it only reads', async () => {
    const fetch = answering(200, '{"devices":[]}');
    expect(await call('get', '/devices', { fetch })).toEqual({ devices: [] });
    const [url, init] = fetch.mock.calls[0]!;
    expect(url).toBe('/api/v1/devices');
    expect(init!.headers).not.toHaveProperty('X-Hearthcast');
  });

  it('proves itself when it changes something', async () => {
    const fetch = answering(200, '{}');
    await call('patch', '/devices/{id}', { id: 12, body: { name: 'New' }, fetch });
    const [url, init] = fetch.mock.calls[0]!;
    expect(url).toBe('/api/v1/devices/12');
    expect(init!.method).toBe('PATCH');
    expect(init!.headers).toMatchObject({ 'X-Hearthcast': '1', 'Content-Type': 'application/json' });
    expect(init!.body).toBe('{"name":"New"}');
  });

  it('sends a playlist as text', async () => {
    const fetch = answering(200, '{}');
    await call('post', '/playlist', { text: '#EXTM3U', fetch });
    expect(fetch.mock.calls[0]![1]!.headers).toMatchObject({ 'Content-Type': 'text/plain; charset=utf-8' });
    expect(fetch.mock.calls[0]![1]!.body).toBe('#EXTM3U');
  });

  it('has no body for 204', async () => {
    expect(await call('delete', '/session', { fetch: answering(204, null) })).toBeUndefined();
  });

  it('throws a problem document as it is', async () => {
    const body = JSON.stringify({ title: 'That is not the code.', status: 403, code: 'wrong_setup_code', detail: 'Look again.' });
    const fetch = answering(403, body, 'application/problem+json');
    await expect(call('post', '/setup', { body: { setup_code: 'x', password: 'y' }, fetch })).rejects.toMatchObject({
      code: 'wrong_setup_code',
      title: 'That is not the code.',
      detail: 'Look again.',
    });
  });

  it('says that the box does not answer when nothing does', async () => {
    const fetch = vi.fn(async () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(call('get', '/status', { fetch })).rejects.toMatchObject({ code: 'no_answer' });
  });

  it('says so when something else answers', async () => {
    const fetch = answering(200, '<html>a hotel</html>', 'text/html');
    await expect(call('get', '/status', { fetch })).rejects.toMatchObject({ code: 'unexpected_answer' });
  });

  it('tells that the session is over', async () => {
    const told = vi.fn();
    when_signed_out(told);
    const fetch = answering(401, JSON.stringify({ title: 'Not signed in.', status: 401, code: 'not_signed_in' }));
    await expect(call('get', '/devices', { fetch })).rejects.toBeInstanceOf(ApiError);
    expect(told).toHaveBeenCalledOnce();
  });

  it('does not take a wrong password for the end of a session', async () => {
    const told = vi.fn();
    when_signed_out(told);
    const fetch = answering(401, JSON.stringify({ title: 'Wrong.', status: 401, code: 'wrong_password' }));
    await expect(call('post', '/session', { body: { password: 'x' }, fetch })).rejects.toMatchObject({ title: 'Wrong.' });
    expect(told).not.toHaveBeenCalled();
  });
});

describe('problem_of', () => {
  it('adds a next step where the box gave none', () => {
    const problem = problem_of(429, { title: 'Too many tries.', status: 429, code: 'too_many_attempts', retry_after_s: 540 });
    expect(problem.detail).toBe('Wait 9 min, then try again.');
  });
  it('survives any body', () => {
    for (const body of [undefined, null, 7, 'x', [], {}, { code: 3 }]) {
      expect(problem_of(502, body).code).toBe('unexpected_answer');
    }
  });
});
