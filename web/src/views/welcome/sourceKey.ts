// Kept in the page's memory alone, and gone with it: whoever needs it later makes a new one.
let key: string | undefined

export const rememberKey = (made: string) => void (key = made)

/** The key made in this page, if it was. */
export const rememberedKey = () => key
