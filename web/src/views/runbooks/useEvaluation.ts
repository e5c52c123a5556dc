import { useMutation } from '@tanstack/react-query'
import { api } from '../../api/client'
import { readEvaluation, type Evaluation } from '../../logic/evaluation'
import type { Choice } from './useChoice'

/** An answer of the gate's, and the choice it is about. */
export interface Answer {
  key: string
  body: Choice['body']
  evaluation: Evaluation
}

/** Asks the gate what it would say. Nothing is asked for: no intent, no plan, no slot is taken. */
export function useEvaluation(id: string) {
  return useMutation({
    mutationFn: async ({ key, body }: Pick<Choice, 'key' | 'body'>): Promise<Answer> => {
      const { data } = await api.POST('/api/v1/intents/evaluate', { body: { runbook_id: id, ...body } })
      return { key, body, evaluation: readEvaluation(data) }
    },
  })
}

/** Why somebody cannot ask the gate now; nothing when they can. */
export function whyNotAsk(may: boolean, choice: Choice): string | undefined {
  if (!may) return 'Asking needs the role operator or admin.'
  return choice.placed ? undefined : 'Choose a host, or an alert that names one.'
}
