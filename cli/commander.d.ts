/** The argument parser as its extra typings see it: options have the types that their flags and parsers declare. Types only: what
 *  runs is commander itself. */
declare module "commander" {
  export * from "@commander-js/extra-typings";
}
