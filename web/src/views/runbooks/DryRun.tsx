import { Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { asProblem } from '../../api/problem'
import { useMay } from '../../app/session'
import { documentFaults } from '../../logic/lintPlace'
import { Section } from '../../parts/Section'
import { MayButton } from '../../parts/Sure'
import { Ask } from './Ask'
import { Choose } from './Choose'
import { Evaluated } from './Evaluated'
import { Note } from './Note'
import { Problems } from './Problems'
import { Refused } from './Refused'
import type { Choice } from './useChoice'
import { useEvaluation, whyNotAsk } from './useEvaluation'

interface DryRunProps {
  /** The runbook as it is stored; none for a new one. */
  stored?: { id: string; version: number }
  /** Variables that are known, each with what it is unless another value is given. */
  variables: [string, string][]
  choice: Choice
  /** What is in the editor and not saved, when anything is: then the dry run is of that. */
  text: string | undefined
  /** Goes to a place in the document. */
  onGo: (line: number, column: number) => void
}

/** What the gate would say to a run, and every command of it. Nothing is asked for. */
export function DryRun({ stored, variables, choice, text, onGo }: DryRunProps) {
  const may = useMay('intents.propose')
  const looking = useEvaluation(stored?.id)
  const [asking, ask] = useState(false)
  const problem = looking.error ? asProblem(looking.error) : undefined
  const faults = documentFaults(problem)
  const answer = looking.data
  const stale = answer !== undefined && (
    answer.key !== choice.key || answer.yaml !== text
    || (text === undefined && answer.evaluation.runbook.version !== stored?.version)
  )
  const why = whyNotAsk(may, choice)
  return (
    <Stack gap="md">
      <Section title="Dry run">
        <Text size="sm" mb="sm">
          The gate is asked what it would say, and shows what would run. Nothing is asked for, nothing runs, nothing is
          written.
          {text !== undefined && ' It is of the text in the editor, as if it were saved; variables that only the text'
            + ' has are what the text says.'}
        </Text>
        <Choose choice={choice} variables={variables} problem={problem} />
        <Group mt="md" gap="xs">
          <MayButton
            why={why} size="sm" variant="filled" loading={looking.isPending}
            onClick={() => looking.mutate({ key: choice.key, body: choice.body, yaml: text })}
          >
            See what would happen
          </MayButton>
          {stored && answer && !stale && (
            <MayButton
              why={text === undefined ? why : 'The text is not saved: only what is stored can be asked for.'}
              size="sm" onClick={() => ask(true)}
            >
              Ask for it…
            </MayButton>
          )}
        </Group>
      </Section>
      {problem && faults.length === 0 && <Refused problem={problem} variables={variables} />}
      {problem && faults.length > 0 && (
        <Note color="red" title="The document has errors: nothing can be made of it">
          <Problems problems={faults} text={looking.variables?.yaml ?? ''} onGo={onGo} />
        </Note>
      )}
      {stale && (
        <Note color="yellow" title="This is about another choice, or another text">
          Look again to see what would happen now.
        </Note>
      )}
      {answer && !problem && <Evaluated evaluation={answer.evaluation} />}
      {stored && (
        <Ask
          id={stored.id} evaluation={asking && answer ? answer.evaluation : undefined} body={answer?.body ?? {}}
          onClose={() => ask(false)}
        />
      )}
    </Stack>
  )
}
