/** Every error ptdit raises on purpose. A message reads `where: the rule that broke; the actual values. The cure.` */
export class PtditError extends Error {
  override name = "PtditError";
}

/** A tensor's shape or type breaks an operation's rule. */
export class ShapeError extends PtditError {
  override name = "ShapeError";
}

/** An option, preset or combination of settings is not valid. */
export class ConfigError extends PtditError {
  override name = "ConfigError";
}

/** A device cannot run what was asked of it. */
export class DeviceError extends PtditError {
  override name = "DeviceError";
}

/** A file's bytes are not what their format promises. */
export class FormatError extends PtditError {
  override name = "FormatError";
}

/** The file system refused to read or write. */
export class FileError extends PtditError {
  override name = "FileError";
}

/** What an error says: anything may be thrown. */
export function messageOf(error: unknown): string {
  const { message }: { readonly message?: unknown } = Object(error);
  return typeof message === "string" ? message : String(error);
}

/** The code of a system call that failed, as "ENOENT"; `otherwise` where it was something else. */
export function codeOf(error: unknown, otherwise = "error"): string {
  const { code }: { readonly code?: unknown } = Object(error);
  return typeof code === "string" ? code : otherwise;
}
