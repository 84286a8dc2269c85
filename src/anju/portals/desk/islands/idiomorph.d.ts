declare module "idiomorph/dist/idiomorph.esm.js" {
  export const Idiomorph: {
    morph(old: Element, fresh: Element | HTMLCollection | string, config: object): Element[];
  };
}
