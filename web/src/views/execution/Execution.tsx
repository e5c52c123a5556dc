import { Alert, Badge, Group, Stack, Tabs, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { IconAlertTriangle, IconWifiOff } from '@tabler/icons-react'
import { useCallback, useMemo, useRef } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import { attempts, doubts, over } from '../../logic/executionEvents'
import { readPlan, type PlanDocument } from '../../logic/planDocument'
import { firstToSee } from '../../logic/stepGrid'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Page } from '../../parts/Page'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { About } from './About'
import { Cancel } from './Cancel'
import { Doubtful } from './Doubtful'
import { Evidence } from './Evidence'
import { Happenings } from './Happenings'
import { Output } from './Output'
import { RunDetail } from './RunDetail'
import { Steps } from './Steps'
import { ToolCalls } from './ToolCalls'
import { useFollow, type Followed } from './useFollow'

type Detail = Schema<'ExecutionDetail'>

/** One execution: what runs where, what it prints, what it left, and how to stop it. */
export function Execution() {
  const { id = '' } = useParams({ strict: false }) as { id?: string }
  const execution = useQuery(get('/api/v1/executions/{id}', { params: { path: { id } } }))
  return <Loaded query={execution} rows={8}>{(found) => <Shown key={found.id} execution={found} />}</Loaded>
}

function Shown({ execution }: { execution: Detail }) {
  const plan = useQuery(get('/api/v1/plans/{id}', { params: { path: { id: execution.plan_id } } }))
  const document = useMemo(() => plan.data && readPlan(plan.data.document), [plan.data])
  const followed = useFollow(execution.id, over(execution.state))
  const tries = useMemo(() => attempts(followed.told), [followed.told])
  const [search, set] = useSearch()
  const run = useRun(execution, search.step)
  const look = useCallback((step: string) => set({ step, tab: undefined }), [set])
  const showAs = useCallback((as: string) => set({ as: as === 'grid' ? undefined : as }), [set])
  return (
    <Page
      title={<Outside>{execution.summary}</Outside>}
      about={<Standing execution={execution} followed={followed} />}
      actions={!over(execution.state) && <Cancel execution={execution} plan={document} />}
    >
      <Doubtful execution={execution} doubts={doubts(execution.steps)} plan={document} onLook={look} />
      <Wrong execution={execution} />
      <Section title="Steps">
        <Steps
          runs={execution.steps} tries={tries} chosen={run?.id} onChoose={look}
          as={search.as ?? 'grid'} onAs={showAs}
        />
      </Section>
      <Parts execution={execution} run={run} plan={document} followed={followed} tries={tries} onLook={look} />
      <About execution={execution} />
    </Page>
  )
}

/** The step run that is looked at: the chosen one, else the first to see, which stays once it began. */
function useRun({ steps }: Detail, chosen: string | undefined): Schema<'StepRunOut'> | undefined {
  const begun = useRef<string>(undefined)
  const run = steps.find((step) => step.id === (chosen ?? begun.current)) ?? firstToSee(steps)
  begun.current = run && run.state !== 'pending' ? run.id : undefined
  return run
}

/** Where it stands, and whether that is so now. */
function Standing({ execution, followed }: { execution: Detail; followed: Followed }) {
  const ended = over(execution.state)
  return (
    <Group gap="sm" mt={4}>
      <Status of={execution.state} />
      {execution.cancel_requested && !ended && <Badge color="red" variant="light">asked to stop</Badge>}
      {followed.following === 'live' && !ended && <span role="status">followed live</span>}
      {followed.following === 'away' && (
        <Badge color="red" variant="light" role="status" leftSection={<IconWifiOff size={12} />}>
          {followed.problem ? followed.problem.title : 'not followed: what is shown may be old'}
        </Badge>
      )}
    </Group>
  )
}

const BACK: Record<string, string> = {
  step_failed: 'a step failed',
  verify_failed: 'the check did not find what it should',
  timed_out: 'it took too long',
  cancelled: 'a person stopped it',
  evidence_missing: 'required evidence is missing',
}

const LEFT: Record<string, string> = {
  rollback_failed: 'An undo failed: somebody must look at the target, and put it right by hand.',
  partially_rolled_back: 'What has no undo stayed as it was made.',
}

/** What went wrong, and why it went back. */
function Wrong({ execution }: { execution: Detail }) {
  const { error_message: error, rollback_reason: back, state } = execution
  if (!error && !back) return null
  const undone = state === 'rolled_back' || state === 'partially_rolled_back'
  const way = undone ? 'It went back' : state === 'rolling_back' ? 'It goes back' : 'It had to go back'
  return (
    <Alert
      color="red" variant="light" icon={<IconAlertTriangle size={18} />}
      title={back ? `${way}: ${BACK[back] ?? back.replaceAll('_', ' ')}` : 'What went wrong'}
    >
      {error && <Outside>{error}</Outside>}
      {LEFT[state] && <Text size="sm" mt={4}>{LEFT[state]}</Text>}
    </Alert>
  )
}

interface PartsProps {
  execution: Detail
  run: Schema<'StepRunOut'> | undefined
  plan: PlanDocument | undefined
  followed: Followed
  tries: ReturnType<typeof attempts>
  onLook: (run: string) => void
}

const TABS = ['output', 'evidence', 'tools', 'events']

function Parts({ execution, run, plan, followed, tries, onLook }: PartsProps) {
  const [search, set] = useSearch()
  const tab = TABS.includes(search.tab ?? '') ? (search.tab ?? 'output') : 'output'
  const stream = search.stream === 'stderr' ? 'stderr' : 'stdout'
  const step = plan?.steps.find((one) => one.order === run?.order)
  const go = (to: string | null) => set({ tab: to === 'output' || to === null ? undefined : to })
  return (
    <Tabs value={tab} onChange={go} keepMounted={false}>
      <Tabs.List aria-label="Of this execution">
        <Tabs.Tab value="output">Step</Tabs.Tab>
        <Tabs.Tab value="evidence">Evidence ({execution.evidence.length})</Tabs.Tab>
        <Tabs.Tab value="tools">Tool calls ({execution.tool_calls.length})</Tabs.Tab>
        <Tabs.Tab value="events">Events</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="output" pt="sm">
        {run && (
          <Section title={<><Outside>{run.name}</Outside> on <Outside>{run.target}</Outside></>}>
            <Stack gap="sm">
              <RunDetail run={run} tries={tries.get(run.id)} plan={plan} />
              <Output
                key={`${run.id} ${stream}`} execution={execution.id} run={run} stream={stream}
                onStream={(to) => set({ stream: to === 'stdout' ? undefined : to })}
                told={followed.outputs.get(run.id) ?? 0} sensitive={step?.sensitive ?? false}
              />
            </Stack>
          </Section>
        )}
        {!run && <Text size="sm" className="faint">What a step prints stands here once there are steps.</Text>}
      </Tabs.Panel>
      <Tabs.Panel value="evidence" pt="sm">
        <Section title="Evidence"><Evidence execution={execution} /></Section>
      </Tabs.Panel>
      <Tabs.Panel value="tools" pt="sm">
        <Section title="Tool calls"><ToolCalls calls={execution.tool_calls} /></Section>
      </Tabs.Panel>
      <Tabs.Panel value="events" pt="sm">
        <Section title="What happened"><Happenings told={followed.told} onChoose={onLook} /></Section>
      </Tabs.Panel>
    </Tabs>
  )
}
