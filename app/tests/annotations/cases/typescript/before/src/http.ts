import { parseCookie, SessionStore } from "./session";

export interface Reply {
  status: number;
  body: string;
}

export function reject(status: number, reason: string): Reply {
  return { status, body: JSON.stringify({ error: reason }) };
}

export function whoami(store: SessionStore, cookie: string): Reply {
  const id = parseCookie(cookie).get("sid");
  if (id === undefined) {
    return reject(401, "no session");
  }
  const session = store.find(id);
  return session ? { status: 200, body: session.user } : reject(401, "expired");
}
