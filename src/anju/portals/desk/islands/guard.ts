// One softphone per seat. Within a browser a lock decides; between computers the server's word of who came last.

const BUSY = "anju_phone_talks";

/** This page, told apart from every other page of the same seat. */
export const PAGE = crypto.randomUUID();

export class Guard {
  private drop: (() => void) | undefined;

  constructor(
    private name: string,
    private lost: () => void,
  ) {}

  /** Whether this page may be the telephone; `steal` takes it from another page of this browser. */
  take(steal = false): Promise<boolean> {
    return new Promise((resolve) => {
      const held = (lock: Lock | null): Promise<void> | undefined => {
        resolve(lock !== null);
        if (!lock) return undefined;
        return new Promise<void>((drop) => (this.drop = drop));
      };
      navigator.locks.request(`anju-phone-${this.name}`, steal ? { steal: true } : { ifAvailable: true }, held).catch(() => {
        this.drop = undefined;
        this.lost(); // stolen by another page
      });
    });
  }

  leave(): void {
    this.drop?.();
    this.drop = undefined;
  }

  get holds(): boolean {
    return this.drop !== undefined;
  }

  /** Another page must not take the telephone away while it talks. */
  static talks(on: boolean): void {
    if (on) localStorage.setItem(BUSY, String(Date.now()));
    else localStorage.removeItem(BUSY);
  }

  static get otherTalks(): boolean {
    return Date.now() - Number(localStorage.getItem(BUSY) ?? 0) < 5000;
  }
}
