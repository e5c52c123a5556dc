import { Code, Mark, Tooltip } from '@mantine/core'
import { visible } from '../logic/visible'

/**
 * Text from outside: of alerts, hosts, code, people elsewhere. It is text and nothing else, set
 * apart in its direction, with what cannot be seen made visible.
 */
export function Outside({ children, mono }: { children?: string | null; mono?: boolean }) {
  if (!children) return <span className="faint">–</span>
  return (
    <bdi className={mono ? 'outside mono' : 'outside'}>
      {visible(children).map((part, index) =>
        part.hidden === undefined ? part.text : (
          <Tooltip key={index} label={`Hidden character ${part.hidden}`}><Mark color="red">{part.text}</Mark></Tooltip>
        ),
      )}
    </bdi>
  )
}

/** Several lines of such text, as they are. */
export function Lines({ children, label }: { children: string; label: string }) {
  return (
    <Code block aria-label={label} tabIndex={0} style={{ overflow: 'auto', maxHeight: '24rem', whiteSpace: 'pre-wrap' }}>
      <Outside>{children}</Outside>
    </Code>
  )
}
