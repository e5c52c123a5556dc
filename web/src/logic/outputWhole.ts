import type { Read } from './outputParts'

/** Bytes asked for at once. */
const AT_ONCE = 1 << 20

/** An output as it was when it was fetched. */
export interface Whole {
  parts: Blob[]
  /** Which attempt printed it. */
  attempt: number | undefined
  /** It was still growing. */
  growing: boolean
  /** What came after the cap was dropped. */
  cut: boolean
}

/**
 * Fetches a whole output, of the attempt its first part is of: a step that is tried again meanwhile
 * does not go on in the middle of what it printed before. Tells how many bytes of how many were read.
 */
export async function whole(
  read: Read, stop: AbortSignal, tell: (read: number, size: number) => void,
): Promise<Whole> {
  // Each part is put away as it comes: all at once would hold the page up.
  const parts: Blob[] = []
  let from = 0
  let attempt: number | undefined
  for (;;) {
    const part = await read(from, AT_ONCE, stop, attempt)
    if (attempt !== undefined && part.attempt !== undefined && part.attempt !== attempt) {
      throw new Error(`attempt ${attempt} was asked for, and attempt ${part.attempt} was given`)
    }
    attempt ??= part.attempt
    if (part.text !== '') parts.push(new Blob([part.text]))
    tell(part.next, part.size)
    if (part.next >= part.size || part.next <= from) {
      return { parts, attempt, growing: !part.ended, cut: part.truncated }
    }
    from = part.next
  }
}

/** What a file of it is called: it says which attempt it is of when there were several, and what is missing. */
export function outputName(step: string, target: string, stream: string, { attempt, growing, cut }: Whole): string {
  const said = [
    step, target, stream, attempt !== undefined && attempt > 1 && `attempt-${attempt}`, growing && 'so-far', cut && 'cut',
  ]
  return `${said.filter((word) => typeof word === 'string').join('-')}.log`
}
