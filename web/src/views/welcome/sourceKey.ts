import type { Schema } from '../../api/client'
import { once } from './once'

// Whoever needs it when it is gone makes a new one.
const made = once<Schema<'KeyMade'>>()

export const rememberKey = made.keep

/** The key made in this page, if it was. */
export const rememberedKey = () => made.kept()
