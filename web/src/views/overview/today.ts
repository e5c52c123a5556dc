import { useNow } from '../../parts/When'

/** The day it is, in UTC, as the API writes it: another after midnight, however long the page is open. */
export const useToday = (): string => new Date(useNow()).toISOString().slice(0, 10)
