import { createHmac, timingSafeEqual } from "node:crypto";

export const MAX_AGE_SECONDS = 3600;
const CLOCK_SKEW = 30;

export interface Session {
  id: string;
  user: string;
  expiresAt: number;
}

export type Clock = () => number;

export class SessionStore {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly secret: string, private readonly now: Clock) {}

  create(user: string): Session {
    const id = this.sign(`${user}:${this.now()}`);
    const session = { id, user, expiresAt: this.now() + MAX_AGE_SECONDS };
    this.sessions.set(id, session);
    return session;
  }

  find(id: string): Session | undefined {
    const session = this.sessions.get(id);
    if (session === undefined) {
      return undefined;
    }
    if (session.expiresAt + CLOCK_SKEW < this.now()) {
      this.sessions.delete(id);
      return undefined;
    }
    return session;
  }

  revokeAll(user: string): number {
    let revoked = 0;
    for (const [id, session] of this.sessions) {
      if (session.user === user) {
        this.sessions.delete(id);
        revoked += 1;
      }
    }
    return revoked;
  }

  private sign(text: string): string {
    return createHmac("sha256", this.secret).update(text).digest("hex");
  }
}

export function safeEqual(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}

export const parseCookie = (header: string): Map<string, string> => {
  const found = new Map<string, string>();
  for (const part of header.split(";")) {
    const at = part.indexOf("=");
    if (at > 0) {
      found.set(part.slice(0, at).trim(), decodeURIComponent(part.slice(at + 1)));
    }
  }
  return found;
};

export async function withSession<T>(
  store: SessionStore,
  id: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = store.find(id);
  if (!session) throw new Error("no such session");
  return await work(session);
}
