#!/usr/bin/env node
/**
 * The installed command. Its packages are optional, since the library needs none of them: where one was left out, this says which, in
 * place of Node's trace.
 */
try {
  await import("./main.js");
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const [, name] = /^Cannot find package '([^']+)'/.exec(message) ?? [];
  if (code !== "ERR_MODULE_NOT_FOUND" || name === undefined) throw error;
  process.stderr.write(
    `error: ptdit: the command line needs the package ${name}, which is not installed: it is an optional dependency. ` +
      "Install ptdit without --omit=optional, or the package itself: " +
      `npm install ${name}\n`,
  );
  process.exitCode = 1;
}
