import { fields, items, maybe, number, text } from './json'

/** A value that is known only while a plan runs. */
export interface Slot {
  /** `steps.<name>.stdout`, `execution.id`. */
  name: string
  /** What the whole value must match, or the step fails. */
  pattern: string
  /** It comes from a target. */
  tainted: boolean
}

/** A piece of a rendered script: fixed text, or a late value. */
export type Segment = { text: string; slot?: undefined } | { slot: Slot; text?: undefined }

export type Script = Segment[]

/** Where a plan runs. */
export interface Target {
  id: string
  name: string
  host: string
  port: number
  username: string
  /** `none` for plans that run nowhere. */
  transport: string
  environment: string
  credentialVersion: number | undefined
  hostKeys: string[]
}

/** A step, rendered for each target. */
export interface Step {
  order: number
  name: string
  description: string | undefined
  stage: string
  action: string
  semantics: string
  /** By the target's id. */
  scripts: Record<string, Script>
  undo: Record<string, Script>
  condition: string | undefined
  exitCodes: number[]
  timeoutS: number
  continueOnFailure: boolean
  retries: number
  retryDelayS: number
  sensitive: boolean
  evidence: { type: string; query: string }[]
}

/** A plan as it is hashed (`crates/model/src/plan.rs`). */
export interface PlanDocument {
  runbook: { id: string; name: string; version: number | undefined }
  steps: Step[]
  targets: Target[]
  maxParallel: number | undefined
  timeoutS: number | undefined
}

function script(value: unknown): Script {
  return items(value).flatMap((segment): Script => {
    const { text: fixed, slot } = fields(segment)
    if (typeof fixed === 'string') return [{ text: fixed }]
    const late = fields(slot)
    const name = text(late.name)
    return name ? [{ slot: { name, pattern: text(late.pattern), tainted: late.tainted === true } }] : []
  })
}

const scripts = (value: unknown) =>
  Object.fromEntries(Object.entries(fields(value)).map(([id, one]) => [id, script(one)]))

function step(value: unknown): Step {
  const one = fields(value)
  return {
    order: number(one.order) ?? 0,
    name: text(one.name),
    description: maybe(one.description),
    stage: text(one.stage),
    action: text(one.action),
    semantics: text(one.semantics),
    scripts: scripts(one.scripts),
    undo: scripts(one.undo),
    condition: maybe(one.condition),
    exitCodes: items(one.expected_exit_codes).flatMap((code) => number(code) ?? []),
    timeoutS: number(one.timeout_s) ?? 0,
    continueOnFailure: one.continue_on_failure === true,
    retries: number(one.retry_count) ?? 0,
    retryDelayS: number(one.retry_delay_s) ?? 0,
    sensitive: one.sensitive === true,
    evidence: items(one.evidence).map((wanted) => {
      const { type, query } = fields(wanted)
      return { type: text(type), query: text(query) }
    }),
  }
}

function target(value: unknown): Target {
  const one = fields(value)
  return {
    id: text(one.resource_id),
    name: text(one.name),
    host: text(one.host),
    port: number(one.port) ?? 0,
    username: text(one.username),
    transport: text(one.transport),
    environment: text(one.environment),
    credentialVersion: number(one.credential_version),
    hostKeys: items(one.host_keys).map(text),
  }
}

/** Reads a plan's document; what is missing in it is empty. */
export function readPlan(document: unknown): PlanDocument {
  const plan = fields(document)
  const runbook = fields(plan.runbook)
  return {
    runbook: { id: text(runbook.id), name: text(runbook.name), version: number(runbook.version) },
    steps: items(plan.steps).map(step),
    targets: items(plan.targets).map(target),
    maxParallel: number(plan.max_parallel),
    timeoutS: number(plan.timeout_s),
  }
}

/** A script as people read it, late values as `<steps.check.stdout>`. */
export const shown = (of: Script): string =>
  of.map((segment) => (segment.slot ? `<${segment.slot.name}>` : segment.text)).join('')

/** Targets that get the same command and the same undo. */
export interface Alike {
  targets: Target[]
  script: Script
  undo: Script | undefined
}

/** A step's commands, each once with the targets it is for, in the order of the targets. */
export function alike(of: Step, targets: Target[]): Alike[] {
  const groups = new Map<string, Alike>()
  for (const place of targets) {
    const command = of.scripts[place.id]
    if (!command) continue
    const undo = of.undo[place.id]
    const key = JSON.stringify([command, undo ?? null])
    const group = groups.get(key)
    if (group) group.targets.push(place)
    else groups.set(key, { targets: [place], script: command, undo })
  }
  return [...groups.values()]
}

/** Whether a step changes something. */
export const changes = (of: Step) => of.stage !== 'verify' && of.semantics !== 'read'

/** What can be undone of a plan. */
export interface WayBack {
  /** Steps that change something and have an undo on every target they run on. */
  undone: Step[]
  /** Those that have none on at least one. */
  final: Step[]
}

/** Which of the changing steps have a way back. */
export function wayBack({ steps }: Pick<PlanDocument, 'steps'>): WayBack {
  const changing = steps.filter(changes)
  // A plan that runs nowhere has no script, and nothing to undo.
  const places = (of: Step) => Object.keys(of.scripts)
  const whole = (of: Step) => places(of).length > 0 && places(of).every((id) => of.undo[id] !== undefined)
  return { undone: changing.filter(whole), final: changing.filter((of) => !whole(of)) }
}

/** Nothing of it runs anywhere: its approval itself brings something about. */
export const runsNowhere = ({ targets }: PlanDocument) =>
  targets.length > 0 && targets.every((place) => place.transport === 'none')

/** Names in a sentence: `web-1`, `web-1 and web-2`, `web-1, web-2 and 3 more`. */
export function named(names: string[], most = 3): string {
  if (names.length <= 1) return names[0] ?? ''
  if (names.length > most) return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

const steps = (n: number) => `${n} ${n === 1 ? 'step' : 'steps'}`

/** What a plan does, in one sentence. */
export function inOneSentence(of: PlanDocument): string {
  const where = named(of.targets.map((place) => place.name), 4) || 'no target'
  if (runsNowhere(of)) return of.steps[0]?.description ?? 'Nothing runs: the approval itself is what is asked for.'
  const changing = of.steps.filter(changes)
  const checks = of.steps.filter((one) => one.stage === 'verify')
  const reads = of.steps.length - changing.length - checks.length
  const verb = (n: number, word: string) => (n === 1 ? `${word}s` : word)
  const checked = checks.length > 0 ? `${steps(checks.length)} ${verb(checks.length, 'check')} the result` : ''
  if (changing.length === 0) {
    return `Only reads on ${where}: ${[steps(reads), checked].filter((part) => part).join(', ')}.`
  }
  const what = named(changing.map((one) => `“${one.name}”`))
  const rest = [reads > 0 ? `${steps(reads)} only ${verb(reads, 'read')}` : '', checked].filter((part) => part)
  return `Changes ${where}: ${what}.${rest.length > 0 ? ` ${rest.join(', ')}.` : ''}`
}
