// Kept in the page's memory alone, like the source's key.
let made: { username: string; password: string } | undefined

export const rememberPassword = (username: string, password: string) => void (made = { username, password })

/** Whoever was added in this page, with the password they log in with once. */
export const colleague = () => made
