import { once } from './once'

const made = once<{ username: string; password: string }>()

export const rememberPassword = (username: string, password: string) => made.keep({ username, password })

/** Whoever was added in this page, with the password they log in with once. */
export const colleague = () => made.kept()
