import { asList, asNumber, asRecord, asText, asTexts } from './loose'

/** The causes there are, in words that say what each means. */
export const CAUSES = {
  emergency_fix: 'Somebody put out a fire',
  manual_troubleshooting: 'Somebody tried things out by hand',
  security_response: 'Somebody answered a threat',
  configuration_error: 'A mistake in the configuration',
  automated_response: 'A program scaled, replaced or repaired it',
  intentional_override: 'Somebody decided that it stays so',
  unknown: 'Nobody knows',
} as const
export type Cause = keyof typeof CAUSES

/** How likely a cause is, 0 to 1. */
export interface CauseShare {
  cause: string
  share: number
}

/** Who says why, and how likely each cause is. */
export interface Decided {
  /** `rules`, `model`, `person`, `exception`, `reported`. */
  by: string
  words: string
  /** The likeliest first; empty where nobody computed any. */
  shares: CauseShare[]
}

/** Reads `decided_by` of a cause analysis. */
export function readDecided(value: unknown): Decided {
  const said = asRecord(value)
  const by = asText(said.by) ?? 'reported'
  const shares = Object.entries(asRecord(said.posteriors))
    .map(([cause, share]): CauseShare => ({ cause, share: asNumber(share) ?? 0 }))
    .sort((one, other) => other.share - one.share || one.cause.localeCompare(other.cause))
  return { by, words: deciderWords(by, said), shares }
}

function deciderWords(by: string, said: Record<string, unknown>): string {
  const version = asText(said.version) ?? asNumber(said.version)?.toString()
  switch (by) {
    case 'rules':
      return version ? `the stated evidence, version ${version}` : 'the stated evidence'
    case 'model':
      return `the model ${asText(said.name) ?? ''} ${version ?? ''}`.trimEnd()
    case 'person':
      return 'a person'
    case 'exception':
      return 'an approved exception'
    case 'reported':
      return 'whoever reported it'
    default:
      return by
  }
}

/** What speaks for a cause or against it. */
export interface CauseFactor {
  id: string
  words: string
  cause?: string
  /** What it adds to that cause, in nats; negative speaks against it. */
  weight?: number
  /** What it adds to the likeliest cause over the next one, in nats. */
  toward?: number
  evidence?: string
}

/** Reads `contributing_factors` of a cause analysis, in their order: the weightiest first. */
export function readFactors(value: unknown): CauseFactor[] {
  return asList(value).map((one, index): CauseFactor => {
    if (typeof one === 'string') return { id: `${index}`, words: one }
    const factor = asRecord(one)
    return {
      id: asText(factor.id) ?? `${index}`,
      words: asText(factor.words) ?? asText(factor.factor) ?? asText(factor.description) ?? JSON.stringify(one) ?? '',
      cause: asText(factor.cause),
      weight: asNumber(factor.weight),
      toward: asNumber(factor.toward),
      evidence: asText(factor.evidence),
    }
  })
}

/** Who it was, as far as anybody knows: `user_attribution`. */
export interface Attributed {
  actor?: string
  kind?: string
  tool?: string
  mfa?: boolean
  breakGlass?: boolean
}

const ACTORS: Record<string, string> = {
  human: 'a person with a key of their own',
  sso: 'a person through single sign-on',
  service: 'a program with an account',
  autoscaler: 'a program that scales or repairs',
  ci: 'a pipeline',
}

const TOOLS: Record<string, string> = {
  console: 'the web console',
  cli: 'a command line',
  sdk: 'a program’s library',
  iac: 'what applies declarations',
  controller: 'a loop that keeps a state',
}

/** Reads `user_attribution` of a cause analysis. */
export function readAttribution(value: unknown): Attributed {
  const said = asRecord(value)
  const flag = (one: unknown) => (typeof one === 'boolean' ? one : undefined)
  const [kind, tool] = [asText(said.kind), asText(said.tool)]
  return {
    actor: asText(said.actor),
    kind: kind && (ACTORS[kind] ?? kind),
    tool: tool && (TOOLS[tool] ?? tool),
    mfa: flag(said.mfa),
    breakGlass: flag(said.break_glass),
  }
}

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/** When it was, in sentences: `temporal_context`. */
export function readTimes(value: unknown): string[] {
  const said = asRecord(value)
  const lines: string[] = []
  const [clock, weekday] = [asText(said.local_time), asNumber(said.weekday)]
  const day = weekday === undefined ? undefined : DAYS[weekday]
  if (clock) {
    const exact = said.exact === true ? 'Changed' : 'Noticed'
    lines.push(`${exact} ${day ? `on a ${day} ` : ''}at ${clock} on the clock of those who work there`)
  }
  if (said.inside_change_window === true) lines.push('A change window was open')
  if (said.inside_change_window === false) lines.push('No change window was open')
  if (said.freeze === true) lines.push('Changes were frozen')
  const reverted = asNumber(said.reverted_after_minutes)
  if (reverted !== undefined) lines.push(`It was put back after ${Math.round(reverted)} min`)
  const missing = asTexts(said.missing)
  if (missing.length > 0) lines.push(`Nothing is known of: ${missing.join(', ').replaceAll('_', ' ')}`)
  return lines
}
