import { useMutation } from '@tanstack/react-query'
import { api } from '../../api/client'
import { readEvaluation, type Evaluation } from '../../logic/evaluation'
import type { Choice } from './useChoice'

/** An answer of the gate's, and what it is about. */
export interface Answer {
  key: string
  body: Choice['body']
  /** The text it is about; none where it is about the runbook as it is stored. */
  yaml: string | undefined
  evaluation: Evaluation
}

type Asked = Pick<Choice, 'key' | 'body'> & { yaml?: string | undefined }

/**
 * Asks the gate what it would say: of a runbook as it is stored, or of a text that is not saved.
 * Nothing is asked for: no intent, no plan, no slot is taken, and the text is not kept.
 */
export function useEvaluation(id: string | undefined) {
  return useMutation({
    mutationFn: async ({ key, body, yaml }: Asked): Promise<Answer> => {
      const { data } = await api.POST('/api/v1/intents/evaluate', { body: { runbook_id: id, yaml, ...body } })
      return { key, body, yaml, evaluation: readEvaluation(data) }
    },
  })
}

/** Why somebody cannot ask the gate now; nothing when they can. */
export function whyNotAsk(may: boolean, choice: Choice): string | undefined {
  if (!may) return 'Asking needs the role operator or admin.'
  return choice.placed ? undefined : 'Choose a host, or an alert that names one.'
}
