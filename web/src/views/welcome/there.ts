import { Problem } from '../../api/problem'

/** How the server says that something of this name is there already. */
const THERE = ['already_there', 'conflict']

/** Makes something, and is content where it is there: an earlier try made it, and failed later. */
export async function unlessThere(make: Promise<unknown>): Promise<void> {
  try {
    await make
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 409 || !THERE.includes(error.code)) throw error
  }
}
