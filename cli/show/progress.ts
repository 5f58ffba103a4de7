import cliProgress from "cli-progress";

/** A live line on a terminal, a line now and then in a log. */
export interface Progress {
  update(value: number, fields: Readonly<Record<string, string>>): void;
  /** Sets how far there is to go, once that is known. */
  extend(total: number): void;
  stop(): void;
}

/** Starts a progress line. `format` may name fields as {name}. */
export function startProgress(total: number, start: number, format: string): Progress {
  const bar = new cliProgress.SingleBar(
    {
      format,
      barsize: 20,
      hideCursor: true,
      fps: 4,
      noTTYOutput: true,
      notTTYSchedule: 15000,
      emptyOnZero: true,
      gracefulExit: false,
    },
    cliProgress.Presets.shades_classic,
  );
  const fields = Object.fromEntries([...format.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, "-"]));
  bar.start(total, start, fields);
  return {
    update: (value, own) => bar.update(value, own),
    extend: (to) => bar.setTotal(to),
    stop: () => bar.stop(),
  };
}

/** 1:05, 2:03:04 */
export function showTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
