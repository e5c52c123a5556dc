/** Who would say what became of a step. */
interface Settler {
  actor_id: string
  type: string
  /** Whether they may run executions. */
  may: boolean
}

/**
 * Why somebody may not say what became of a step; none when they may, as far as is known here. Of a
 * step that runs at most once, and of its undo, only a person may who did not ask for the change
 * (`act::duty`). By its tier, and by who is behind an account, the server judges as well.
 */
export function whyNotSettle(
  settler: Settler, execution: { initiated_by: string }, semantics: string | undefined,
): string | undefined {
  if (!settler.may) return 'Saying what happened needs the role operator or admin.'
  if (semantics !== 'at_most_once') return undefined
  if (settler.type !== 'user') return 'Only people can say what became of a step that runs at most once.'
  const own = execution.initiated_by === settler.actor_id
  return own ? 'You asked for this change: somebody else must say what became of it.' : undefined
}
