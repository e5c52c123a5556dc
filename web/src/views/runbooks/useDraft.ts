import { useMemo, useState } from 'react'
import type { Schema } from '../../api/client'
import { topLevel, withTopLevel } from '../../logic/yamlPlace'

/** What an edit stands on. */
export interface Base {
  text: string
  version: number
  /** The status was set after the import: the text here says so, the imported one does not. */
  restated: boolean
}

/** A text somebody writes, kept while they look at the other parts of the runbook. */
export interface Draft {
  text: string
  base: Base
  dirty: boolean
  /** What is stored now: what saving would replace. */
  stored: Base
  /** The version somebody else has saved since the edit began. */
  overtaken: number | undefined
  write: (text: string) => void
  discard: () => void
}

/**
 * The document as it was imported, with the status it has now. The server's own export would lose
 * the comments once the status was set by hand.
 */
export function baseOf(version: Schema<'VersionOut'>, status: string): Base {
  const text = version.yaml.replaceAll('\r\n', '\n')
  const said = topLevel(text, 'status') ?? 'draft'
  if (said === status) return { text, version: version.version, restated: false }
  const after = ['mode', 'category', 'name'].find((key) => topLevel(text, key) !== undefined) ?? 'name'
  const restated = withTopLevel(text, 'status', status, after)
  return { text: restated, version: version.version, restated: restated !== text }
}

/** The text in the editor: what is stored, until something is written. */
export function useDraft(newest: Schema<'VersionOut'> | undefined, status: string): Draft | undefined {
  const stored = useMemo(() => (newest ? baseOf(newest, status) : undefined), [newest, status])
  const [edit, setEdit] = useState<{ text: string; base: Base }>()
  const base = edit?.base ?? stored
  if (!base || !stored) return undefined
  return {
    text: edit?.text ?? base.text,
    base,
    dirty: edit !== undefined,
    stored,
    overtaken: edit && stored.version !== edit.base.version ? stored.version : undefined,
    write: (text) => setEdit(text === base.text ? undefined : { text, base }),
    discard: () => setEdit(undefined),
  }
}
