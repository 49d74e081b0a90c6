import type { Loss } from '../../model/loss.ts';

/** The account of what writing a body changed. Fields are paths in the body that goes out. */
export class Ledger {
  readonly losses: Loss[] = [];

  dropped(field: string, reason: string): void {
    this.losses.push({ field, action: 'dropped', reason });
  }

  rewritten(field: string, reason: string): void {
    this.losses.push({ field, action: 'rewritten', reason });
  }

  invented(field: string, reason: string): void {
    this.losses.push({ field, action: 'invented', reason });
  }
}
