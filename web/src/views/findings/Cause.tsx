import { Group, Stack, Table, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { IconCheck } from '@tabler/icons-react'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useAccount, useMay } from '../../app/session'
import { CAUSES, readDecided, readFactors, readTimes, type Cause, type CauseFactor } from '../../logic/causeFacts'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { When } from '../../parts/When'
import { Bar, percent } from './Bits'
import { Dialog } from './Dialog'
import classes from './findings.module.css'

const pretty = (word: string) => word.replaceAll('_', ' ')
const meaning = (cause: string) => (cause in CAUSES ? CAUSES[cause as Cause] : pretty(cause))

/** Why a finding came about, who says so, what speaks for it, and a person's word. */
export function CauseSection({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  const query = { finding_id: [finding.id], limit: 1 }
  const causes = useQuery(get('/api/v1/cause-analyses', { params: { query } }))
  return (
    <Section title="Why it came about">
      <Loaded query={causes} rows={3}>{({ items: [cause] }) => (
        <Stack gap="md">
          {cause
            ? <Analysis cause={cause} />
            : (
              <Text size="sm" className="faint">
                Nobody said why yet. Drift is explained after its scan; anything may be labelled.
              </Text>
            )}
          <Labels finding={finding.id} now={cause?.labelled_by ? cause.cause_category : undefined} />
        </Stack>
      )}</Loaded>
    </Section>
  )
}

function Analysis({ cause }: { cause: Schema<'CauseOut'> }) {
  const decided = readDecided(cause.decided_by)
  const times = readTimes(cause.temporal_context)
  return (
    <Stack gap="sm">
      <div>
        <Text fw={600}>
          {meaning(cause.cause_category)} <span className="faint">({pretty(cause.cause_category)})</span>
        </Text>
        <Text size="sm" component="div">
          {cause.cause_category === 'unknown' && !cause.labelled_by
            ? `no cause is likely enough, the likeliest has ${percent(cause.confidence_score)}, says `
            : `${percent(cause.confidence_score)} sure, says `}
          {cause.labelled_by ? <ActorName id={cause.labelled_by} /> : <Outside>{decided.words}</Outside>},{' '}
          <When at={cause.labelled_at ?? cause.analyzed_at} />
        </Text>
      </div>
      {cause.label_comment && <Text size="sm">“<Outside>{cause.label_comment}</Outside>”</Text>}
      {cause.analysis && <Text size="sm"><Outside>{cause.analysis}</Outside></Text>}
      {times.length > 0 && (
        <ul className={classes.plain}>
          {times.map((line) => <li key={line}><Text size="sm"><Outside>{line}</Outside></Text></li>)}
        </ul>
      )}
      {decided.shares.length > 0 && (
        <div>
          <Text component="h3" fw={650} mb={4}>How likely each cause is, by the evidence or the model</Text>
          <dl className={classes.shares}>
            {decided.shares.map(({ cause: word, share }) => (
              <Share key={word} word={word} share={share} />
            ))}
          </dl>
        </div>
      )}
      <Factors factors={readFactors(cause.contributing_factors)} />
    </Stack>
  )
}

function Share({ word, share }: { word: string; share: number }) {
  return (
    <>
      <dt title={meaning(word)}>{pretty(word)}</dt>
      <dd style={{ margin: 0 }}><Bar share={share} /></dd>
      <dd style={{ margin: 0 }} className={classes.number}>{percent(share)}</dd>
    </>
  )
}

const nats = (value: number | undefined) =>
  value === undefined ? '–' : `${value > 0 ? '+' : ''}${value.toFixed(1)}`

function Factors({ factors }: { factors: CauseFactor[] }) {
  if (factors.length === 0) return null
  return (
    <div>
      <Text component="h3" fw={650} mb={4}>What speaks for it and against it</Text>
      <div className={classes.wide} role="region" aria-label="Factors" tabIndex={0}>
        <Table aria-label="Factors" verticalSpacing={4} miw={520}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>What was seen</Table.Th>
              <Table.Th>Says most about</Table.Th>
              <Table.Th ta="right">Adds to that</Table.Th>
              <Table.Th ta="right">For the likeliest</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {factors.map((factor) => (
              <Table.Tr key={factor.id}>
                <Table.Td><Outside>{factor.words}</Outside></Table.Td>
                <Table.Td>{factor.cause ? pretty(factor.cause) : '–'}</Table.Td>
                <Table.Td className={classes.number}>{nats(factor.weight)}</Table.Td>
                <Table.Td className={classes.number}>{nats(factor.toward)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      <Text size="xs" className="faint">
        Weights are in nats (natural logarithms of odds): +0.7 doubles the odds, −0.7 halves them.
      </Text>
    </div>
  )
}

/** Buttons by which a person says why; models learn from it. */
function Labels({ finding, now }: { finding: string; now: string | undefined }) {
  const may = useMay('findings.write')
  const person = useAccount().type === 'user'
  const [cause, choose] = useState<Cause>()
  const why = !may
    ? 'Saying why needs the role operator or admin.'
    : person ? undefined : 'A label is a person’s word.'
  return (
    <div>
      <Text component="h3" fw={650}>What do you say?</Text>
      <Text size="sm" className="faint" mb={6}>A person’s word stands above all others, and models learn from it.</Text>
      <Group gap="xs" role="group" aria-label="Say why it came about">
        {(Object.keys(CAUSES) as Cause[]).map((word) => (
          <MayButton
            key={word} size="compact-sm" variant={word === now ? 'light' : 'default'} why={why}
            leftSection={word === now ? <IconCheck size={14} aria-label="said" /> : undefined}
            onClick={() => choose(word)}
          >
            {pretty(word)}
          </MayButton>
        ))}
      </Group>
      {cause && <Label key={cause} finding={finding} cause={cause} onClose={() => choose(undefined)} />}
    </div>
  )
}

function Label({ finding, cause, onClose }: { finding: string; cause: Cause; onClose: () => void }) {
  const [comment, setComment] = useState('')
  const queries = useQueryClient()
  const label = useMutation({
    mutationFn: () => api.PUT('/api/v1/findings/{id}/cause', {
      params: { path: { id: finding } }, body: { cause, comment: comment.trim() || null },
    }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['/api/v1/cause-analyses'] })
      onClose()
    },
  })
  return (
    <Dialog
      title={`Say that it is: ${pretty(cause)}`} opened onClose={onClose} confirm="Say so" busy={label.isPending}
      error={label.error} fields={['/comment']} onConfirm={() => label.mutate()}
    >
      <Text size="sm">
        “{CAUSES[cause]}” is kept as the cause of this finding, with your name. It takes the place of what was said
        before; how likely the evidence finds each cause stays beside it.
      </Text>
      <Textarea
        label="What there is to say to it" description="May be left empty." data-autofocus
        autosize minRows={2} maxLength={2000}
        value={comment} onChange={(event) => setComment(event.currentTarget.value)}
        error={label.error ? asProblem(label.error).field('/comment') : undefined}
      />
    </Dialog>
  )
}
