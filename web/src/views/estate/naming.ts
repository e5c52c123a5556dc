import type { Environment } from './data'

/** What people call an environment; its id where it is not known. */
export const nameOf = (environments: Map<string, Environment>, id: string) => environments.get(id)?.name ?? id
