// esbuild takes style sheets and pictures as imports; for the type check they are just there.

declare module "*.css"
